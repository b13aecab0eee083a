// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

// Compound 117, August 2022: a new oracle that asks each market for what one of them has not.

interface IMarket {
    function underlying() external view returns (address);
}

contract TokenMarket {
    address public underlying = address(1);
}

contract CoinMarket {}

contract SimpleOracle {
    function getUnderlyingPrice(address) external pure returns (uint256) {
        return 1e18;
    }
}

contract AskingOracle {
    function getUnderlyingPrice(address market) external view returns (uint256) {
        return IMarket(market).underlying() == address(1) ? 1e18 : 2e18;
    }
}

contract Lender {
    address public immutable admin;
    SimpleOracle public oracle;
    address[] internal _markets;

    event NewPriceOracle(address oldOracle, address newOracle);

    constructor(address admin_, SimpleOracle oracle_) {
        admin = admin_;
        oracle = oracle_;
    }

    function _setPriceOracle(SimpleOracle newOracle) external {
        require(msg.sender == admin, "Lender: not the admin");
        emit NewPriceOracle(address(oracle), address(newOracle));
        oracle = newOracle;
    }

    function support(address market) external {
        _markets.push(market);
    }

    function getAllMarkets() external view returns (address[] memory) {
        return _markets;
    }

    function getUnderlyingPrice(address market) external view returns (uint256) {
        return oracle.getUnderlyingPrice(market);
    }
}

// Prices that are not what they look like, and those that are.

interface IFeed {
    function latestAnswer() external view returns (int256);
}

/// @dev Prices that somebody posts; without a poster, anybody.
contract PostedOracle {
    address public immutable owner;
    mapping(address => uint256) internal _prices;

    constructor(address poster) {
        owner = poster;
    }

    function setUnderlyingPrice(address market, uint256 price) external {
        require(owner == address(0) || msg.sender == owner, "PostedOracle: not the poster");
        _prices[market] = price;
    }

    function getUnderlyingPrice(address market) external view returns (uint256) {
        return _prices[market];
    }
}

/// @dev Prices of what markets lend, which anybody posts.
contract DirectOracle {
    mapping(address => uint256) internal _prices;

    function setDirectPrice(address asset, uint256 price) external {
        _prices[asset] = price;
    }

    function getUnderlyingPrice(address market) external view returns (uint256) {
        return _prices[IMarket(market).underlying()];
    }
}

/// @dev Says no, as Compound's contracts do, by a code instead of a revert.
contract RefusingOracle {
    address public immutable admin;

    constructor(address admin_) {
        admin = admin_;
    }

    function setUnderlyingPrice(address, uint256) external pure returns (uint256) {
        return 1;
    }

    function getUnderlyingPrice(address) external pure returns (uint256) {
        return 1e18;
    }
}

/// @dev One price, with the time when it was told, as Chainlink's feeds have it.
contract PriceFeed {
    uint8 public constant decimals = 8;
    address public immutable owner;
    int256 public latestAnswer;
    uint256 internal _updatedAt;

    constructor(address owner_, int256 answer, uint256 updatedAt) {
        owner = owner_;
        latestAnswer = answer;
        _updatedAt = updatedAt;
    }

    function updateAnswer(int256 answer) external {
        require(owner == address(0) || msg.sender == owner, "PriceFeed: not the owner");
        latestAnswer = answer;
        _updatedAt = block.timestamp;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (1, latestAnswer, _updatedAt, _updatedAt, 1);
    }
}

/// @dev Answers transactions, and no contracts but those that it knows, as Chainlink's aggregators do. What it is told
/// changes nothing.
contract GuardedFeed {
    function setAnswer(int256) external {}

    function latestAnswer() external view returns (int256) {
        require(msg.sender == tx.origin, "GuardedFeed: no access");
        return 1e8;
    }
}

/// @dev What a rollup's sequencer is: 0 while it is up.
contract StatusFeed {
    uint8 public constant decimals = 0;

    function latestRoundData() external pure returns (uint80, int256, uint256, uint256, uint80) {
        return (1, 0, 1, 1, 1);
    }
}

/// @dev Asks one feed for each market, which its admin names.
contract FeedOracle {
    address public immutable admin;
    mapping(address => IFeed) public feeds;

    constructor(address admin_) {
        admin = admin_;
    }

    function setFeed(address market, IFeed feed) external {
        require(msg.sender == admin, "FeedOracle: not the admin");
        feeds[market] = feed;
    }

    function getUnderlyingPrice(address market) external view returns (uint256) {
        return uint256(feeds[market].latestAnswer()) * 1e10;
    }
}
