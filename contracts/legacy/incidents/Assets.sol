// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

// What a treasury may hold besides coin and plain tokens, and contracts that stand between it and what it holds.

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// @dev ERC-1155, without the calls to receivers.
contract Passes {
    mapping(address => mapping(uint256 => uint256)) private _held;
    mapping(address => mapping(address => bool)) public isApprovedForAll;

    event TransferSingle(
        address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value
    );
    event TransferBatch(
        address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values
    );
    event ApprovalForAll(address indexed account, address indexed operator, bool approved);

    /// @dev So many of each of the numbers 1 to 3.
    constructor(address holder, uint256 each) {
        for (uint256 id = 1; id <= 3; id++) {
            _held[holder][id] = each;
        }
    }

    function balanceOf(address account, uint256 id) external view returns (uint256) {
        return _held[account][id];
    }

    function setApprovalForAll(address operator, bool approved) external {
        isApprovedForAll[msg.sender][operator] = approved;
        emit ApprovalForAll(msg.sender, operator, approved);
    }

    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes calldata) external {
        _move(from, to, id, value);
        emit TransferSingle(msg.sender, from, to, id, value);
    }

    function safeBatchTransferFrom(
        address from,
        address to,
        uint256[] calldata ids,
        uint256[] calldata values,
        bytes calldata
    ) external {
        for (uint256 place = 0; place < ids.length; place++) {
            _move(from, to, ids[place], values[place]);
        }
        emit TransferBatch(msg.sender, from, to, ids, values);
    }

    /// @dev Tells of one and moves all that the caller has of a number.
    function renew(address to, uint256 id) external {
        emit TransferSingle(msg.sender, msg.sender, to, id, 1);
        _move(msg.sender, to, id, _held[msg.sender][id]);
    }

    function _move(address from, address to, uint256 id, uint256 value) private {
        require(from == msg.sender || isApprovedForAll[from][msg.sender], "not allowed");
        _held[from][id] -= value;
        _held[to][id] += value;
    }
}

/// @dev ERC-721: the holder has the numbers 1 to 4. `collect` and `decreaseLiquidity` are as Uniswap's positions have
/// them: a pool pays what a position has earned.
contract Positions {
    struct Collecting {
        uint256 tokenId;
        address recipient;
        uint128 amount0Max;
        uint128 amount1Max;
    }

    struct Decreasing {
        uint256 tokenId;
        uint128 liquidity;
        uint256 amount0Min;
        uint256 amount1Min;
        uint256 deadline;
    }

    mapping(uint256 => address) public ownerOf;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => bool)) public isApprovedForAll;
    PositionPool public immutable pool;

    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
    event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId);
    event ApprovalForAll(address indexed owner, address indexed operator, bool approved);

    constructor(address holder, PositionPool pool_) {
        pool = pool_;
        balanceOf[holder] = 4;
        for (uint256 id = 1; id <= 4; id++) {
            ownerOf[id] = holder;
        }
    }

    function approve(address to, uint256 id) external {
        require(ownerOf[id] == msg.sender, "not allowed");
        emit Approval(msg.sender, to, id);
    }

    function setApprovalForAll(address operator, bool approved) external {
        isApprovedForAll[msg.sender][operator] = approved;
        emit ApprovalForAll(msg.sender, operator, approved);
    }

    function safeTransferFrom(address from, address to, uint256 id) external {
        transferFrom(from, to, id);
    }

    function transferFrom(address from, address to, uint256 id) public {
        require(ownerOf[id] == from && from == msg.sender, "not allowed");
        ownerOf[id] = to;
        balanceOf[from]--;
        balanceOf[to]++;
        emit Transfer(from, to, id);
    }

    function decreaseLiquidity(Decreasing calldata) external payable returns (uint256, uint256) {
        return (0, 0);
    }

    function collect(Collecting calldata what) external payable returns (uint256, uint256) {
        require(ownerOf[what.tokenId] == msg.sender, "not allowed");
        pool.pay(what.recipient, what.amount0Max);
        return (what.amount0Max, 0);
    }
}

contract PositionPool {
    IToken public immutable token;

    constructor(IToken token_) {
        token = token_;
    }

    function pay(address to, uint256 amount) external {
        token.transfer(to, amount);
    }
}

/// @dev ERC-4626, one share for two units.
contract ShareVault {
    mapping(address => uint256) public balanceOf;
    IToken public immutable asset;
    uint8 public constant decimals = 18;
    string public constant symbol = "SHARES";

    event Transfer(address indexed from, address indexed to, uint256 amount);

    constructor(address holder, uint256 shares, IToken asset_) {
        balanceOf[holder] = shares;
        asset = asset_;
    }

    function withdraw(uint256 assets, address receiver, address owner) external returns (uint256 shares) {
        shares = assets / 2;
        _pay(shares, receiver, owner);
    }

    function redeem(uint256 shares, address receiver, address owner) external returns (uint256) {
        _pay(shares, receiver, owner);
        return shares * 2;
    }

    function _pay(uint256 shares, address receiver, address owner) private {
        require(owner == msg.sender, "not allowed");
        balanceOf[owner] -= shares;
        emit Transfer(owner, address(0), shares);
        asset.transfer(receiver, shares * 2);
    }
}

/// @dev Moves a hundred times what its event tells, where somebody in between takes it.
contract HalfToldToken {
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 amount);

    constructor(address holder, uint256 supply) {
        balanceOf[holder] = supply;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        balanceOf[from] -= amount * 100;
        balanceOf[to] += amount * 100;
        emit Transfer(from, to, amount);
        return true;
    }
}

/// @dev The only one that names the token.
contract Broker {
    IToken private immutable _token;

    constructor(IToken token) {
        _token = token;
    }

    function rebalance(address from, address to, uint256 amount) external {
        _token.transferFrom(from, to, amount);
    }
}

/// @dev Passes on all that it takes.
contract Disperse {
    function disperseToken(IToken token, address[] calldata recipients, uint256[] calldata values) external {
        uint256 total = 0;
        for (uint256 place = 0; place < recipients.length; place++) {
            total += values[place];
        }
        token.transferFrom(msg.sender, address(this), total);
        for (uint256 place = 0; place < recipients.length; place++) {
            token.transfer(recipients[place], values[place]);
        }
    }
}
