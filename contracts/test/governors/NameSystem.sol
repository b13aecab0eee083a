// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev As much of ENS as reading a name takes: the registry (EIP-137) and a resolver (EIP-137, EIP-181) in one contract.
contract NameSystem {
    mapping(bytes32 node => address) public resolver;
    mapping(bytes32 node => string) public name;
    mapping(bytes32 node => address) public addr;

    function setResolver(bytes32 node, address newResolver) external {
        resolver[node] = newResolver;
    }

    function setName(bytes32 node, string calldata newName) external {
        name[node] = newName;
    }

    function setAddr(bytes32 node, address newAddr) external {
        addr[node] = newAddr;
    }
}
