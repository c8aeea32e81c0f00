// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IScheduleChecker} from "./interfaces/IScheduleChecker.sol";

/// @notice See IScheduleChecker.
/// @dev The arithmetic is unchecked because no input can overflow it. Largest magnitudes: u < 2^29, |y|, |w| <= 2^63,
/// pv, grid, L < 2^41, |f|, |p| < 2^60 (weight 2^32 times 2^26.1 minutes and scale 2^16 times price 2^31), v < 2^48. The sum
/// of u * (y - w) over 2^16 cars and 2^16 intervals stays below 2^125 and every other sum below 2^121, so cost and bound
/// fit int128 and all steps fit int256.
contract ScheduleChecker is IScheduleChecker {
    /* CONSTANTS */

    uint256 private constant VERSION = 1;
    uint256 private constant HEADER = 64;
    uint256 private constant CAR = 20;
    uint256 private constant INTERVAL = 26;

    uint8 private constant LENGTH = 0;
    uint8 private constant HEAD = 1;
    uint8 private constant ORDER = 2;
    uint8 private constant STAY = 3;
    uint8 private constant RESERVED = 4;
    uint8 private constant POWER = 5;
    uint8 private constant NEED = 6;
    uint8 private constant LIMIT = 7;

    /// @dev What the loops share. `cells` has three words per interval: duration, load, w.
    struct State {
        uint256 n;
        uint256 m;
        bool claims;
        int256 v1;
        int256 v2;
        uint256[] cells;
        int256 cost;
        int256 bound;
    }

    /* CHECK */

    /// @inheritdoc IScheduleChecker
    function check(
        bytes calldata p,
        bytes calldata x,
        bytes calldata y,
        bytes calldata w
    ) external pure returns (int128 cost, int128 bound) {
        State memory s = _header(p, y, w);

        _readIntervals(s, p, w);
        _cars(s, p, x, y);
        _intervals(s, p);

        return (int128(s.cost), s.claims ? int128(s.bound) : type(int128).min);
    }

    /// @dev Exact lengths come first: without them two different readings of the same bytes would be possible. Bytes shorter
    /// than a header have none of them, whatever is read behind their end.
    function _header(bytes calldata p, bytes calldata y, bytes calldata w) private pure returns (State memory s) {
        unchecked {
            uint256 head = _word(p, 32);
            s.n = (head >> 128) & 0xffff;
            s.m = (head >> 112) & 0xffff;
            require(p.length == HEADER + CAR * s.n + INTERVAL * s.m, Broken(LENGTH, 0));
            require(head >> 248 == VERSION, Broken(HEAD, 0));

            uint256 scale = (head >> 96) & 0xffff;
            uint256 voll = (head >> 32) & 0xffffffff;
            uint256 extra = head & 0xffffffff;
            require(voll >= extra, Broken(HEAD, 1));
            s.v1 = int256(scale * voll);
            s.v2 = int256(scale * extra);

            s.claims = s.m == 0 || y.length + w.length != 0;
            require(y.length == (s.claims ? 8 * s.n : 0), Broken(LENGTH, 2));
            require(w.length == (s.claims ? 8 * s.m : 0), Broken(LENGTH, 3));
        }
    }

    function _readIntervals(State memory s, bytes calldata p, bytes calldata w) private pure {
        unchecked {
            s.cells = new uint256[](3 * s.m);
            uint256 offset = HEADER + CAR * s.n;
            for (uint256 t = 0; t < s.m; ++t) {
                s.cells[3 * t] = _word(p, offset + INTERVAL * t) >> 240;
                if (s.claims) s.cells[3 * t + 2] = uint256(int256(int64(uint64(_word(w, 8 * t) >> 192))));
            }
        }
    }

    /// @dev Power and energy of each car, what is missing, and the part of the bound that belongs to cars.
    function _cars(State memory s, bytes calldata p, bytes calldata x, bytes calldata y) private pure {
        unchecked {
            uint256 next = 0; // offset in x
            uint256 after_ = 0; // least session number allowed
            for (uint256 i = 0; i < s.n; ++i) {
                uint256 car = _word(p, HEADER + CAR * i);
                uint256 from = (car >> 112) & 0xffff;
                uint256 to = (car >> 96) & 0xffff;
                require(car >> 224 >= after_, Broken(ORDER, i));
                require(from < to && to <= s.m, Broken(STAY, i));
                require((car >> 200) & 0xff == 0, Broken(RESERVED, i));
                after_ = (car >> 224) + 1;

                uint256 end = next + 3 * (to - from);
                require(end <= x.length, Broken(LENGTH, 1));
                int256 yi = s.claims ? int256(int64(uint64(_word(y, 8 * i) >> 192))) : int256(0);
                uint256 served = _stay(s, x, next, (i << 16) | from, to, (car >> 128) & 0xffffff, yi);
                next = end;

                _shortfall(s, i, (car >> 176) & 0xffffff, (car >> 152) & 0xffffff, served, yi);
            }
            require(next == x.length, Broken(LENGTH, 1));
        }
    }

    /// @dev Energy of one stay. `first` is car * 65536 + its first interval. The same in Solidity, for every t of the stay:
    ///
    ///     most = (power * duration[t]) / 3600;    energy = the next u24 of x
    ///     require(energy <= most, Broken(POWER, car * 65536 + t))
    ///     served += energy;    load[t] += energy
    ///     if (yi > w[t]) bound -= most * (yi - w[t])
    function _stay(
        State memory s,
        bytes calldata x,
        uint256 offset,
        uint256 first,
        uint256 to,
        uint256 power,
        int256 yi
    ) private pure returns (uint256 served) {
        unchecked {
            uint256[] memory cells = s.cells;
            uint256 left = to - (first & 0xffff);
            uint256 rent = 0;
            uint256 wrong = 0; // intervals left when an energy was too high
            // `cells` has 96 bytes for each t < m, and from < to <= m.
            assembly ("memory-safe") {
                let cell := add(add(cells, 32), mul(96, and(first, 0xffff)))
                let read := add(x.offset, offset)
                for {} left {
                    left := sub(left, 1)
                } {
                    let most := div(mul(power, mload(cell)), 3600)
                    let energy := shr(232, calldataload(read))
                    if gt(energy, most) {
                        wrong := left
                        break
                    }
                    served := add(served, energy)
                    let load := add(cell, 32)
                    mstore(load, add(mload(load), energy))
                    let gain := sub(yi, mload(add(cell, 64)))
                    rent := add(rent, mul(most, mul(gain, sgt(gain, 0))))
                    cell := add(cell, 96)
                    read := add(read, 3)
                }
            }
            require(wrong == 0, Broken(POWER, (first & ~uint256(0xffff)) | (to - wrong)));
            s.bound -= int256(rent);
        }
    }

    function _shortfall(State memory s, uint256 i, uint256 need, uint256 more, uint256 served, int256 yi) private pure {
        unchecked {
            require(served <= need + more, Broken(NEED, i));
            uint256 s1 = served < need ? need - served : 0;
            uint256 s2 = need + more - served - s1;
            s.cost += s.v1 * int256(s1) + s.v2 * int256(s2);
            s.bound += int256(need) * (yi < s.v1 ? yi : s.v1) + int256(more) * (yi < s.v2 ? yi : s.v2);
        }
    }

    /// @dev Supply limit of each interval, what its load costs, and the part of the bound that belongs to intervals.
    function _intervals(State memory s, bytes calldata p) private pure {
        unchecked {
            uint256 head = _word(p, 32);
            int256 scale = int256((head >> 96) & 0xffff);
            int256 weight = int256((head >> 64) & 0xffffffff);
            uint256 offset = HEADER + CAR * s.n;
            uint256 elapsed = 0;
            uint256[] memory cells = s.cells;
            for (uint256 t = 0; t < s.m; ++t) {
                uint256 interval = _word(p, offset + INTERVAL * t);
                (int256 pv, int256 grid) = _capacity(interval);
                int256 load = int256(cells[3 * t + 1]);
                int256 w = int256(cells[3 * t + 2]);
                require(load <= pv + grid, Broken(LIMIT, t));

                int256 feed = int32(uint32(interval >> 80));
                int256 price = int32(uint32(interval >> 48));
                if (pv == 0) feed = price;
                else if (feed > price) price = feed;
                int256 early = weight * int256(elapsed / 60);
                int256 f = scale * feed + early;
                int256 q = scale * price + early;
                s.cost += load <= pv ? f * load : f * pv + q * (load - pv);
                if (w > f) s.bound -= pv * (w - f);
                if (w > q) s.bound -= grid * (w - q);
                elapsed += interval >> 240;
            }
        }
    }

    /// @dev PV surplus, and what may be taken from the grid beside the other load. Wh
    function _capacity(uint256 interval) private pure returns (int256 pv, int256 grid) {
        unchecked {
            int256 demand = int256((interval >> 176) & 0xffffffff);
            int256 production = int256((interval >> 144) & 0xffffffff);
            int256 fixed_ = int256((interval >> 112) & 0xffffffff);
            int256 net = demand + fixed_ - production;
            if (net < 0) (pv, net) = (-net, 0);
            grid = int256((interval >> 208) & 0xffffffff) - net;
            if (grid < 0) grid = 0;
        }
    }

    /// @dev 32 bytes from `offset`. Beyond the end of `data` come other bytes of the calldata or zeros, never a revert;
    /// the exact lengths above ensure that every bit that is used lies inside.
    function _word(bytes calldata data, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, offset))
        }
    }
}
