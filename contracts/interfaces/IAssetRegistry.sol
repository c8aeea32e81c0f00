// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice keccak256(abi.encode(cpo, salt, evseId)); the salt is 0 for public sites and random for private ones.
type AssetId is bytes32;

enum Kind {
    None,
    ChargePoint,
    Inverter,
    Battery
}

enum State {
    None,
    Planned,
    Active,
    Faulted,
    Retired
}

/// @notice One asset behind a charging group's supply limit. Everything but `metadata` fits into one word.
/// @param kind What it is; never changes.
/// @param state Planned or Active when registered; Retired is final.
/// @param connector Code of the connector's standard, 0 where there is none.
/// @param phases 1, 2 or 3.
/// @param group Charging group; never changes.
/// @param index Row of the asset in the group's records; never changes and is never used again.
/// @param fromSlot First slot (unix time / 900) in which the group's records carry its row.
/// @param ratedPower W.
/// @param minPower W, the least power other than 0; at most `ratedPower`.
/// @param capacity Wh, of a battery; else 0.
/// @param metadata keccak256 of the canonical off-chain document.
struct Asset {
    Kind kind;
    State state;
    uint8 connector;
    uint8 phases;
    uint32 group;
    uint16 index;
    uint32 fromSlot;
    uint32 ratedPower;
    uint32 minPower;
    uint32 capacity;
    bytes32 metadata;
}

/// @notice What a charging group is from a slot on.
/// @param cpo Number of the charge point operator; not 0.
/// @param capacity W, most power that the supply allows.
/// @param parent Group (feeder) above, 0 for the grid.
/// @param fromSlot First slot to which this applies; never below the one set before.
struct Group {
    uint32 cpo;
    uint32 capacity;
    uint32 parent;
    uint32 fromSlot;
}

/// @title Which assets stand behind which supply limit, and which row of a slot record means which asset.
/// @notice Promises: an asset's kind, group and index never change; `memberOf(group, index)` leads back to it; a retired
/// asset never returns; groups form trees at most `MAX_DEPTH` deep. No address of a person and no place is stored.
interface IAssetRegistry {
    /// @notice An asset exists; `asset` is what was registered.
    event Registered(AssetId indexed id, uint32 indexed group, Kind kind, Asset asset);

    /// @notice An asset's state from a slot on.
    event StateSet(AssetId indexed id, State state, uint32 fromSlot);

    /// @notice A group's operator, capacity and feeder from `settings.fromSlot` on.
    event GroupSet(uint32 indexed group, Group settings);

    /// @notice The id is taken; ids are never registered twice.
    error AlreadyRegistered(AssetId id);

    /// @notice No asset has this id.
    error UnknownAsset(AssetId id);

    /// @notice No group has this number; 0 is the grid and can be no group.
    error UnknownGroup(uint32 group);

    /// @notice Kind None, a state other than Planned or Active, phases outside 1..3, or minPower above ratedPower.
    error InvalidAsset(AssetId id);

    /// @notice `index` must be the next row of the group, so that rows stay dense and none is used twice.
    error WrongIndex(AssetId id, uint16 index, uint256 expected);

    /// @notice A group has at most 65,535 rows, ever.
    error GroupFull(uint32 group);

    /// @notice The asset is retired; that is final.
    error AlreadyRetired(AssetId id);

    /// @notice None and Planned cannot be set later.
    error InvalidState(AssetId id, State state);

    /// @notice A group needs an operator (not 0).
    error InvalidGroup(uint32 group);

    /// @notice A change cannot apply before the change that came before it.
    error SlotBeforeLast(uint32 fromSlot, uint32 last);

    /// @notice The group would be more than `MAX_DEPTH` levels below the grid.
    error TooDeep(uint32 group);

    /// @notice A group that feeds others, or the group itself, cannot be moved under another parent: no cycle can arise.
    error ParentFixed(uint32 group);

    /// @notice The two lists differ in length.
    error LengthMismatch();

    /// @notice Levels of groups below the grid.
    function MAX_DEPTH() external view returns (uint8);

    /// @notice Adds assets to their groups. At most about 200 fit into one transaction.
    function register(AssetId[] calldata ids, Asset[] calldata assets) external;

    /// @notice Sets one state (Active, Faulted or Retired) for several assets, from a slot on.
    function setState(AssetId[] calldata ids, State state, uint32 fromSlot) external;

    /// @notice Creates a group or changes its settings from a slot on.
    function setGroup(uint32 group, Group calldata settings) external;

    /// @notice The asset with this id; `kind` None when there is none.
    function assetOf(AssetId id) external view returns (Asset memory);

    /// @notice The group's newest settings; `cpo` 0 when there is none. Older ones are in the events.
    function groupOf(uint32 group) external view returns (Group memory);

    /// @notice Number of rows that the group has had so far.
    function countOf(uint32 group) external view returns (uint256);

    /// @notice Decodes a row of a slot record: the asset with this index, 0 when there is none.
    function memberOf(uint32 group, uint256 index) external view returns (AssetId);

    /// @notice The id that the platform gives to an EVSE.
    function idOf(uint32 cpo, bytes32 salt, string calldata evseId) external pure returns (AssetId);
}
