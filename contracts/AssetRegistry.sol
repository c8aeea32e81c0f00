// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Asset, AssetId, Group, IAssetRegistry, Kind, State} from "./interfaces/IAssetRegistry.sol";

/// @notice See IAssetRegistry.
contract AssetRegistry is IAssetRegistry, AccessManaged {
    /* CONSTANTS */

    /// @inheritdoc IAssetRegistry
    uint8 public constant MAX_DEPTH = 4;

    /* STORAGE */

    /// @dev One word. `depth` is 1 directly under the grid and 0 for a group that does not exist.
    struct Node {
        Group settings;
        uint8 depth;
        uint32 children;
    }

    mapping(AssetId id => Asset) private _asset;
    /// @dev Slot of the newest `setState`, 0 before the first.
    mapping(AssetId id => uint32) private _stateFrom;
    mapping(uint32 group => Node) private _node;
    mapping(uint32 group => AssetId[]) private _member;

    /* CONSTRUCTOR */

    constructor(address authority) AccessManaged(authority) {}

    /* ASSETS */

    /// @inheritdoc IAssetRegistry
    function register(AssetId[] calldata ids, Asset[] calldata assets) external restricted {
        require(ids.length == assets.length, LengthMismatch());
        for (uint256 i = 0; i < ids.length; ++i) _register(ids[i], assets[i]);
    }

    /// @inheritdoc IAssetRegistry
    function setState(AssetId[] calldata ids, State state, uint32 fromSlot) external restricted {
        for (uint256 i = 0; i < ids.length; ++i) {
            AssetId id = ids[i];
            Asset storage asset = _asset[id];
            require(asset.kind != Kind.None, UnknownAsset(id));
            require(asset.state != State.Retired, AlreadyRetired(id));
            require(state != State.None && state != State.Planned, InvalidState(id, state));
            uint32 last = _stateFrom[id] == 0 ? asset.fromSlot : _stateFrom[id];
            require(fromSlot >= last, SlotBeforeLast(fromSlot, last));

            asset.state = state;
            _stateFrom[id] = fromSlot;
            emit StateSet(id, state, fromSlot);
        }
    }

    function _register(AssetId id, Asset calldata asset) private {
        AssetId[] storage members = _member[asset.group];
        require(_asset[id].kind == Kind.None, AlreadyRegistered(id));
        require(_node[asset.group].depth != 0, UnknownGroup(asset.group));
        require(asset.kind != Kind.None && asset.minPower <= asset.ratedPower, InvalidAsset(id));
        require(asset.state == State.Planned || asset.state == State.Active, InvalidAsset(id));
        require(asset.phases >= 1 && asset.phases <= 3, InvalidAsset(id));
        require(members.length < type(uint16).max, GroupFull(asset.group));
        require(asset.index == members.length, WrongIndex(id, asset.index, members.length));

        _asset[id] = asset;
        members.push(id);
        emit Registered(id, asset.group, asset.kind, asset);
    }

    /* GROUPS */

    /// @inheritdoc IAssetRegistry
    function setGroup(uint32 group, Group calldata settings) external restricted {
        Node storage node = _node[group];
        Group memory last = node.settings;
        bool isNew = node.depth == 0;
        require(group != 0, UnknownGroup(group));
        require(settings.cpo != 0, InvalidGroup(group));
        require(settings.fromSlot >= last.fromSlot, SlotBeforeLast(settings.fromSlot, last.fromSlot));

        if (isNew || settings.parent != last.parent) {
            // Only a leaf moves, so the depth below it needs no update and its new parent cannot be below it.
            require(node.children == 0 && settings.parent != group, ParentFixed(group));
            uint8 above = _node[settings.parent].depth;
            require(settings.parent == 0 || above != 0, UnknownGroup(settings.parent));
            require(above < MAX_DEPTH, TooDeep(group));
            if (last.parent != 0) --_node[last.parent].children;
            if (settings.parent != 0) ++_node[settings.parent].children;
            node.depth = above + 1;
        }
        node.settings = settings;
        emit GroupSet(group, settings);
    }

    /* STORAGE VIEW */

    /// @inheritdoc IAssetRegistry
    function assetOf(AssetId id) external view returns (Asset memory) {
        return _asset[id];
    }

    /// @inheritdoc IAssetRegistry
    function groupOf(uint32 group) external view returns (Group memory) {
        return _node[group].settings;
    }

    /// @inheritdoc IAssetRegistry
    function countOf(uint32 group) external view returns (uint256) {
        return _member[group].length;
    }

    /// @inheritdoc IAssetRegistry
    function memberOf(uint32 group, uint256 index) external view returns (AssetId) {
        return index < _member[group].length ? _member[group][index] : AssetId.wrap(0);
    }

    /// @inheritdoc IAssetRegistry
    function idOf(uint32 cpo, bytes32 salt, string calldata evseId) external pure returns (AssetId) {
        return AssetId.wrap(keccak256(abi.encode(cpo, salt, evseId)));
    }
}
