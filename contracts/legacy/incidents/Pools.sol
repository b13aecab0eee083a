// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

// Pools where two tokens are exchanged, as far as prices are read from them: what a pool says of this moment, and what it
// remembers of the past. In the words of Uniswap's interfaces; nothing can be traded here but by `trade`.

interface IBalance {
    function balanceOf(address account) external view returns (uint256);
}

/// @dev Version 2: two reserves, and sums of past prices.
contract PairPool {
    address public immutable token0;
    address public immutable token1;
    uint112 internal _reserve0;
    uint112 internal _reserve1;
    uint32 internal _updatedAt;
    uint256 public price0CumulativeLast;
    uint256 public price1CumulativeLast;

    constructor(address token0_, address token1_) {
        (token0, token1) = (token0_, token1_);
    }

    function getReserves() external view returns (uint112, uint112, uint32) {
        return (_reserve0, _reserve1, _updatedAt);
    }

    /// @dev What was traded shows in what the pool holds.
    function sync() external {
        if (_reserve0 != 0 && _reserve1 != 0) {
            uint256 elapsed = block.timestamp - _updatedAt;
            price0CumulativeLast += (uint256(_reserve1) << 112) / _reserve0 * elapsed;
            price1CumulativeLast += (uint256(_reserve0) << 112) / _reserve1 * elapsed;
        }
        _reserve0 = uint112(IBalance(token0).balanceOf(address(this)));
        _reserve1 = uint112(IBalance(token1).balanceOf(address(this)));
        _updatedAt = uint32(block.timestamp);
    }
}

/// @dev Version 3: a tick, and what it was at earlier moments.
contract TickPool {
    struct Observation {
        uint32 timestamp;
        int56 tickCumulative;
    }

    address public immutable token0;
    address public immutable token1;
    int24 internal _tick;
    uint128 public liquidity = 1;
    Observation[] internal _observations;

    constructor(address token0_, address token1_, int24 tick) {
        (token0, token1) = (token0_, token1_);
        _tick = tick;
        _observations.push(Observation(uint32(block.timestamp), 0));
    }

    function trade(int24 tick) external {
        _observations.push(Observation(uint32(block.timestamp), _cumulative(block.timestamp)));
        _tick = tick;
    }

    function slot0() external view returns (uint160, int24, uint16, uint16, uint16, uint8, bool) {
        return (0, _tick, uint16(_observations.length - 1), uint16(_observations.length), 0, 0, true);
    }

    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int56[] memory tickCumulatives, uint160[] memory secondsPerLiquidity)
    {
        tickCumulatives = new int56[](secondsAgos.length);
        secondsPerLiquidity = new uint160[](secondsAgos.length);
        for (uint256 i = 0; i < secondsAgos.length; i++) {
            tickCumulatives[i] = _cumulative(block.timestamp - secondsAgos[i]);
        }
    }

    function _cumulative(uint256 moment) internal view returns (int56) {
        uint256 last = _observations.length - 1;
        Observation memory before = _observations[last];
        if (moment >= before.timestamp) {
            return before.tickCumulative + int56(_tick) * int56(uint56(moment - before.timestamp));
        }
        while (_observations[last].timestamp > moment) {
            require(last != 0, "OLD");
            last--;
        }
        Observation memory next = _observations[last + 1];
        before = _observations[last];
        int56 passed = int56(uint56(next.timestamp - before.timestamp));
        int56 part = int56(uint56(moment - before.timestamp));
        return before.tickCumulative + (next.tickCumulative - before.tickCumulative) * part / passed;
    }
}

/// @dev As Curve has them, without its curve: one for one, less a fee.
contract CoinsPool {
    address[2] public coins;
    uint256[2] public balances;

    constructor(address first, address second) {
        coins = [first, second];
        balances = [uint256(1), 1];
    }

    function get_virtual_price() external view returns (uint256) {
        return 1e18 * (balances[0] + balances[1]) / 2;
    }

    function get_dy(int128, int128, uint256 amount) external view returns (uint256) {
        return amount * balances[1] / balances[0];
    }
}

contract CoinsOracle {
    CoinsPool public immutable pool;

    constructor(CoinsPool pool_) {
        pool = pool_;
    }

    function getUnderlyingPrice(address) external view returns (uint256) {
        return pool.get_dy(0, 1, 1e18);
    }
}

/// @dev The price of a market's token is what the pool holds right now.
contract PairOracle {
    PairPool public immutable pool;

    constructor(PairPool pool_) {
        pool = pool_;
    }

    function getUnderlyingPrice(address) external view returns (uint256) {
        (uint112 reserve0, uint112 reserve1,) = pool.getReserves();
        return uint256(reserve1) * 1e18 / reserve0;
    }
}

/// @dev The price is the pool's average over half an hour, as a number that grows with it.
contract AverageOracle {
    TickPool public immutable pool;

    constructor(TickPool pool_) {
        pool = pool_;
    }

    function getUnderlyingPrice(address) external view returns (uint256) {
        uint32[] memory moments = new uint32[](2);
        moments[0] = 1800;
        (int56[] memory sums,) = pool.observe(moments);
        return uint256(1e18 + int256(sums[1] - sums[0]) / 1800 * 1e14);
    }
}

/// @dev The same from the tick of now.
contract TickOracle {
    TickPool public immutable pool;

    constructor(TickPool pool_) {
        pool = pool_;
    }

    function getUnderlyingPrice(address) external view returns (uint256) {
        (, int24 tick,,,,,) = pool.slot0();
        return uint256(1e18 + int256(tick) * 1e14);
    }
}
