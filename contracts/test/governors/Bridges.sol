// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev What counts of a bridge's contract on the far side: it takes messages back, and while it delivers none, it
/// names nobody.
contract FarBridge {
    uint256 public sent;

    function sendBack() external payable {
        sent += 1;
    }
}

/// @dev A DAO's account behind a bridge: it believes the bridge when what that answers to `question` is the DAO; where
/// there is a `first` question, its answer is the contract that is asked for the sender.
contract BridgedOwner {
    FarBridge public immutable bridge;
    bytes4 public immutable first;
    bytes4 public immutable question;
    address public immutable dao;
    address public owner;

    constructor(FarBridge bridge_, bytes4 first_, bytes4 question_, address dao_) {
        bridge = bridge_;
        first = first_;
        question = question_;
        dao = dao_;
        owner = dao_;
    }

    function tidyUp(address owner_) external payable {
        require(msg.sender == address(bridge), "BridgedOwner: not the bridge");
        address asked = first == bytes4(0) ? address(bridge) : _answer(address(bridge), first);
        require(_answer(asked, question) == dao, "BridgedOwner: not the DAO");
        bridge.sendBack{value: msg.value}();
        owner = owner_;
    }

    function _answer(address asked, bytes4 signature) private view returns (address) {
        (bool success, bytes memory answer) = asked.staticcall(abi.encodeWithSelector(signature));
        require(success && answer.length == 32, "BridgedOwner: the bridge does not say");
        return abi.decode(answer, (address));
    }
}

/// @dev A DAO's account on Polygon: FxChild tells it who sends, and it reads the bytes in its own way.
contract RootReceiver {
    address public immutable child;
    address public immutable dao;
    address public owner;

    constructor(address child_, address dao_) {
        child = child_;
        dao = dao_;
        owner = dao_;
    }

    function processMessageFromRoot(uint256, address sender, bytes calldata data) external {
        require(msg.sender == child && sender == dao, "RootReceiver: not the DAO");
        owner = abi.decode(data, (address));
    }
}
