// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

/// @dev Something for a DAO to govern: one number behind an upgradeable proxy, owned by the timelock.
contract ParameterStore is Initializable, UUPSUpgradeable, AccessControl {
    bytes32 public constant PARAMETER_ROLE = keccak256("PARAMETER_ROLE");

    uint256 public parameter;

    event ParameterChanged(uint256 oldParameter, uint256 newParameter);

    constructor() {
        _disableInitializers();
    }

    function initialize(address owner, uint256 initialParameter) external initializer {
        _grantRole(DEFAULT_ADMIN_ROLE, owner);
        _grantRole(PARAMETER_ROLE, owner);
        _setParameter(initialParameter);
    }

    function setParameter(uint256 newParameter) external onlyRole(PARAMETER_ROLE) {
        _setParameter(newParameter);
    }

    function version() external pure virtual returns (uint256) {
        return 1;
    }

    function _setParameter(uint256 newParameter) private {
        emit ParameterChanged(parameter, newParameter);
        parameter = newParameter;
    }

    function _authorizeUpgrade(address) internal view override onlyRole(DEFAULT_ADMIN_ROLE) {}
}

contract ParameterStoreV2 is ParameterStore {
    function version() external pure override returns (uint256) {
        return 2;
    }
}

contract ParameterStoreProxy is ERC1967Proxy {
    constructor(address implementation, bytes memory data) ERC1967Proxy(implementation, data) {}
}
