// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The rule of scheduling: is this schedule feasible, what does it cost, and how much cheaper could any other be?
/// @notice A pure function with integers and zero tolerance; ask it for free with `eth_call`. It trusts nobody: a wrong or
/// malicious certificate can only weaken the claim (a lower bound), never make a dear schedule look optimal.
///
/// Problem `p`, big-endian, exactly 64 + 20 n + 26 m bytes:
///
///     header 64    salt 32 | version u8 = 1 | group u32 | slot u32 | at u40 | n u16 | m u16
///                  | scale u16 | weight u32 | voll u32 | extra u32                              voll >= extra
///     car 20       session u32 | row u16 | feeder u8 = 0 | need u24 | more u24 | power u24 | from u16 | to u16
///                  strictly ascending by session; from < to <= m
///     interval 26  duration u16 | limit u32 | demand u32 | production u32 | fixed u32 | feed i32 | price i32
///
/// `need` is promised energy and `more` best-effort energy wanted beyond it [Wh]; `power` W; the car is there in the
/// intervals [from, to); `duration` s; limit, demand, production and fixed (sessions that did not opt in) Wh; feed, price,
/// voll and extra micro-euro per kWh.
///
/// Schedule `x`: u24 Wh for the intervals of each stay, car after car. Certificate: `y` i64 per car (what one more Wh for it
/// is worth), `w` i64 per interval (marginal price of a Wh there), two's complement. All lengths are exact.
///
///     u_it   = floor(power_i * duration_t / 3600)
///     net_t  = demand_t + fixed_t - production_t;  pv_t = max(0, -net_t);  grid_t = max(0, limit_t - max(0, net_t))
///     price' = pv_t > 0 ? max(price, feed) : price;  feed' = pv_t > 0 ? feed : price     keeps the cost convex
///     e_t    = floor(durations before t / 60)                                            whole minutes after `at`
///     f_t    = scale * feed' + weight * e_t;   p_t = scale * price' + weight * e_t
///     v1     = scale * voll;                   v2  = scale * extra
///     served_i = sum_t x_it;  L_t = sum_i x_it
///     s1_i = max(0, need_i - served_i);  s2_i = need_i + more_i - served_i - s1_i
///
///     cost  = sum_t [f_t * min(L_t, pv_t) + p_t * max(0, L_t - pv_t)] + sum_i [v1 * s1_i + v2 * s2_i]
///     bound = sum_i [need_i * min(y_i, v1) + more_i * min(y_i, v2)] - sum_i sum_t u_it * max(0, y_i - w_t)
///             - sum_t [pv_t * max(0, w_t - f_t) + grid_t * max(0, w_t - p_t)]
///
/// Soundness: relax sum_t x_it + s_i = need_i + more_i with y and L_t = sum_i x_it with w, and minimise every x, s and the
/// two parts of L over its own box; each term of `bound` is one of these minima. v1 >= v2 makes "promised energy is missing
/// last" the cheapest split of what is missing. So bound <= cost for all integers y and w and every feasible x:
/// cost == bound proves that no schedule is cheaper, cost - bound is a proven worst-case loss. Unit: nano-euro x scale.
/// With prices 0 and a refused request as `need`, bound / v1 is the least shortfall in Wh that any schedule would have had.
interface IScheduleChecker {
    /// @notice The input breaks a rule.
    /// @param rule 0 length (where: 0 p, 1 x, 2 y, 3 w) | 1 header (where: 0 version, 1 voll < extra) | 2 sessions not strictly
    /// ascending (where: car) | 3 stay not from < to <= m (where: car) | 4 reserved byte not 0 (where: car) | 5 more energy in an
    /// interval than the car's power allows (where: car * 65536 + interval) | 6 more energy than need + more (where: car) | 7 load
    /// above PV surplus and free supply limit (where: interval).
    /// @param where As the rule says; cars and intervals are counted from 0.
    error Broken(uint8 rule, uint256 where);

    /// @notice Cost of the schedule `x` and the bound that the certificate `y`, `w` proves for every schedule of problem `p`.
    /// @dev Reverts with `Broken`, and with nothing else for any input. With `y` and `w` both empty (while there are
    /// intervals) the plan claims nothing and the bound is type(int128).min.
    function check(
        bytes calldata p,
        bytes calldata x,
        bytes calldata y,
        bytes calldata w
    ) external pure returns (int128 cost, int128 bound);
}
