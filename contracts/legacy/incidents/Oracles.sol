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
