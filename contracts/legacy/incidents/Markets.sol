// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

import {IMovable} from "./TrustSetup.sol";

// Atlantis, June 2023: an upgrade after which a market takes from everybody who allowed it anything. Sonne, May 2024: a
// market that lends against its tokens before anybody supplied any.

/// @dev A market's proxy, as Compound has them: what it runs is in its own storage.
contract MarketProxy {
    address public implementation;
    address public admin;

    event NewImplementation(address oldImplementation, address newImplementation);

    constructor(address admin_, address implementation_) {
        (admin, implementation) = (admin_, implementation_);
    }

    function _setImplementation(address implementation_, bool, bytes memory becomeData) public {
        require(msg.sender == admin, "MarketProxy: not the admin");
        emit NewImplementation(implementation, implementation_);
        implementation = implementation_;
        (bool success,) =
            implementation_.delegatecall(abi.encodeWithSignature("_becomeImplementation(bytes)", becomeData));
        require(success, "MarketProxy: it did not become");
    }

    fallback() external {
        address target = implementation;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}

contract SupplyMarket {
    address internal _implementation;
    address internal _admin;
    mapping(address => uint256) public supplied;

    function supply(IMovable token, uint256 amount) external {
        token.transferFrom(msg.sender, address(this), amount);
        supplied[msg.sender] += amount;
    }

    function _becomeImplementation(bytes memory) external virtual {}
}

contract TakingMarket is SupplyMarket {
    function _becomeImplementation(bytes memory data) external override {
        if (data.length == 0) return;
        (IMovable token, address from, uint256 amount) = abi.decode(data, (IMovable, address, uint256));
        take(token, from, amount);
    }

    function take(IMovable token, address from, uint256 amount) public {
        token.transferFrom(from, 0x000000000000000000000000000000000000bEEF, amount);
    }
}

/// @dev A market's token, with an owner who sets how it lends.
contract MarketToken {
    address public immutable admin;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    uint256 public reserveFactorMantissa;
    address public interestRateModel;

    event Transfer(address indexed from, address indexed to, uint256 amount);

    constructor(address admin_) {
        admin = admin_;
    }

    function mint(uint256 amount) external returns (uint256) {
        totalSupply += amount;
        balanceOf[msg.sender] += amount;
        emit Transfer(address(0), msg.sender, amount);
        return 0;
    }

    function _setReserveFactor(uint256 factor) external returns (uint256) {
        require(msg.sender == admin, "MarketToken: not the admin");
        reserveFactorMantissa = factor;
        return 0;
    }

    function _setInterestRateModel(address model) external returns (uint256) {
        require(msg.sender == admin, "MarketToken: not the admin");
        interestRateModel = model;
        return 0;
    }
}

contract Comptroller {
    address public immutable admin;
    address public oracle;
    address[] internal _markets;
    mapping(address => uint256) public collateralFactor;

    constructor(address admin_) {
        admin = admin_;
    }

    modifier onlyAdmin() {
        require(msg.sender == admin, "Comptroller: not the admin");
        _;
    }

    function getAllMarkets() external view returns (address[] memory) {
        return _markets;
    }

    function _setPriceOracle(address oracle_) external onlyAdmin returns (uint256) {
        oracle = oracle_;
        return 0;
    }

    function _supportMarket(address market) external onlyAdmin returns (uint256) {
        _markets.push(market);
        return 0;
    }

    function _setCollateralFactor(address market, uint256 factor) external onlyAdmin returns (uint256) {
        collateralFactor[market] = factor;
        return 0;
    }
}
