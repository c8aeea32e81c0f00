// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Account, Batch, DisputeState, ISettlement} from "../../../contracts/interfaces/ISettlement.sol";

/// @notice What the laws of Settlement speak about, read in one call: random tests read it after every step.
contract SettlementReader {
    struct Session {
        uint32 cpo;
        uint32 number;
    }

    struct Person {
        uint256 available;
        uint256 flex;
        uint256 flexDebt;
        uint256 nonce;
        uint256 euros;
        uint256 tokens;
    }

    /// @dev `batches` are those that exist from number 1 without a hole; pots are sums over them.
    struct Cpo {
        uint256 lastSeq;
        uint256 batches;
        uint256 openPots;
        uint256 finalPots;
        uint256 price;
        uint256 flexPot;
    }

    struct Picture {
        uint256 held;
        uint256 owned;
        uint256 supply;
        uint256 disputed;
        Person[] people;
        Cpo[] cpos;
    }

    function read(
        ISettlement settlement,
        IERC20 euro,
        IERC20 flex,
        address[] calldata people,
        uint32[] calldata cpos,
        Session[] calldata disputes
    ) external view returns (Picture memory picture) {
        picture.held = settlement.held();
        picture.owned = euro.balanceOf(address(settlement));
        picture.supply = flex.totalSupply();
        picture.people = new Person[](people.length);
        for (uint256 i = 0; i < people.length; ++i) {
            Account memory account = settlement.accountOf(people[i]);
            picture.people[i] = Person(
                account.available,
                account.flex,
                account.flexDebt,
                account.nonce,
                euro.balanceOf(people[i]),
                flex.balanceOf(people[i])
            );
        }
        picture.cpos = new Cpo[](cpos.length);
        for (uint256 i = 0; i < cpos.length; ++i) picture.cpos[i] = _cpo(settlement, cpos[i]);
        for (uint256 i = 0; i < disputes.length; ++i) picture.disputed += _waiting(settlement, disputes[i]);
    }

    function _cpo(ISettlement settlement, uint32 number) private view returns (Cpo memory cpo) {
        cpo.lastSeq = settlement.lastSeq(number);
        (cpo.price, cpo.flexPot) = settlement.offerOf(number);
        while (true) {
            Batch memory batch = settlement.batchOf(number, uint32(cpo.batches + 1));
            if (batch.postedAt == 0) break;
            ++cpo.batches;
            if (batch.finalised) cpo.finalPots += batch.pot;
            else cpo.openPots += batch.pot;
        }
    }

    /// @dev A debt cannot be paid while its line is disputed: what was paid for the line is what is not owed.
    function _waiting(ISettlement settlement, Session calldata session) private view returns (uint256) {
        if (settlement.disputeOf(session.cpo, session.number).state != DisputeState.Open) return 0;
        return
            settlement.disputeOf(session.cpo, session.number).amount -
            settlement.debtOf(session.cpo, session.number).amount;
    }
}
