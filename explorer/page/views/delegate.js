/** Delegating to an agent and taking power back. The transaction is shown whole before a wallet is asked to send it. */
import { answer, facts, fill, h } from '../dom.js';
import { address, heading, later, problem } from '../parts.js';
import { linkTo } from '../route.js';
import { quoted } from '../text.js';
import { decimal } from '../words.js';
import { chainOf, connectAccount, delegation, findWallets, send, switchChain, walletProblem } from '../wallet.js';

const NOBODY = `0x${'0'.repeat(40)}`;

/** @param {import('../parts.js').Context} context */
export function delegate({ root, place, session, signal, route }) {
  const body = h('div', {});
  fill(root, h('p', {}, h('a', { href: linkTo(place, 'agent', route.agent) }, 'Back to the agent')), heading('Delegate voting power'), body);
  later(body, 'Reading the agent…', Promise.all([session.opened, session.ask('standing', route.agent)]), ([{ chainId }, { agent, gate, tier }]) => [
    h('p', {}, 'To delegate is to let somebody vote with your tokens. Your tokens stay yours, and you can take the power back at any time.'),
    warningOf(tier, gate),
    agent.declaration.governors.length === 0 && problem('This agent answers for no governor.'),
    agent.declaration.governors.map((/** @type {string} */ governor) => panel(governor, agent.writer, chainId)),
  ]);

  /** @param {string} governor @param {string} writer @param {number} chainId */
  function panel(governor, writer, chainId) {
    const power = h('div', {});
    const acting = h('div', {});
    /** @type {{wallet: import('../wallet.js').Wallet, account: string} | null} */
    let member = null;
    const refresh = () => later(power, 'Reading the voting power…', session.ask('delegation', governor, writer, member?.account ?? ''), (told) => {
      showActions(told);
      return powerTable(told, writer, member?.account ?? '');
    });
    refresh();
    return h('section', { class: 'card', 'aria-label': `Governor ${governor}` }, h('h2', {}, 'Governor ', address(governor)), power, acting);

    /** @param {any} told */
    function showActions(told) {
      if (member === null) {
        fill(acting, h('button', { type: 'button', class: 'main', onclick: () => choose(told) }, 'Connect a wallet'));
        return;
      }
      const { account } = member;
      const back = told.holder.delegatedTo;
      fill(acting,
        sameAddress(back, writer) ? h('p', {}, 'You delegate to this agent.') : proposal('Delegate to this agent', writer, told),
        back !== NOBODY && !sameAddress(back, account) && proposal('Take your power back and vote yourself', account, told),
        back !== NOBODY && proposal('Let nobody vote with your tokens', NOBODY, told),
      );
    }

    /** @param {any} told */
    async function choose(told) {
      const wallets = await findWallets();
      if (wallets.length === 0) {
        fill(acting, problem('No wallet was found in this browser. The transaction that any wallet can send is below.'), transactionTable({ from: 'your account', to: told.token, value: '0x0', data: delegation('', told.token, writer).data }, chainId));
        return;
      }
      if (wallets.length === 1) await connect(wallets[0]);
      else fill(acting, h('p', {}, 'Which wallet?'), wallets.map((wallet) => h('button', { type: 'button', onclick: () => connect(wallet) }, quoted(wallet.name, 60))));
    }

    /** @param {import('../wallet.js').Wallet} wallet */
    async function connect(wallet) {
      try {
        member = { wallet, account: await connectAccount(wallet.provider) };
        await refresh();
      } catch (error) {
        fill(acting, problem(walletProblem(error)));
      }
    }

    /** @param {string} title @param {string} to @param {any} told */
    function proposal(title, to, told) {
      const { account, wallet } = /** @type {NonNullable<typeof member>} */ (member);
      const transaction = delegation(account, told.token, to);
      const state = h('div', { 'aria-live': 'polite' });
      const button = h('button', { type: 'button', class: 'main', onclick: () => act() }, 'Send with my wallet');
      return h('details', {}, h('summary', {}, title), h('div', { class: 'inside' },
        h('p', {}, 'This transaction goes to your wallet. Compare it there before you confirm.'),
        transactionTable(transaction, chainId, `delegate(${to})`), button, state));

      async function act() {
        button.disabled = true;
        try {
          if ((await chainOf(wallet.provider)) !== chainId) {
            fill(state, h('p', {}, `Your wallet is on another chain. Asking it to change to chain ${chainId}…`));
            await switchChain(wallet.provider, chainId);
          }
          fill(state, h('p', {}, 'Waiting for you to confirm in the wallet…'));
          const hash = await send(wallet.provider, transaction);
          fill(state, h('p', {}, 'Sent. Waiting for the chain: ', h('span', { class: 'hex' }, hash)));
          const done = await mined(hash);
          answer(done ? 'Done.' : 'The transaction failed on chain.');
          if (done) await refresh();
          else fill(state, problem('The transaction failed on chain. Nothing changed.'));
        } catch (error) {
          fill(state, problem(walletProblem(error)));
        }
        button.disabled = false;
      }
    }
  }

  /** @param {string} hash */
  async function mined(hash) {
    while (!signal.aborted) {
      const done = await session.ask('outcome', hash);
      if (done !== null) return done;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    return false;
  }
}

/** @param {string | undefined} tier @param {any} gate */
function warningOf(tier, gate) {
  if (gate?.paused) return h('p', { class: 'warning' }, 'The guardian has paused the votes of this agent: power that you delegate now is not used.');
  if (gate === null) return h('p', { class: 'warning' }, 'This agent is a plain account, not a vote gate: its key can vote with your power without writing an entry first.');
  if (tier === 'UNKNOWN') return h('p', { class: 'warning' }, 'This contract is no vote gate that this page knows. It promises nothing.');
  return null;
}

/** @param {any} told @param {string} writer @param {string} account */
function powerTable({ token, symbol, decimals, delegatePower, holder }, writer, account) {
  const amount = (/** @type {bigint} */ units) => [`${decimal(units, decimals)} `, quoted(symbol, 20)];
  return facts([
    ['Token', address(token)],
    ['Power of the agent', amount(delegatePower)],
    ['Your account', account !== '' && address(account)],
    ['Your tokens', holder && amount(holder.balance)],
    ['Power that others and you gave you', holder && amount(holder.power)],
    ['You delegate to', holder && (holder.delegatedTo === NOBODY ? 'nobody: your tokens do not vote' : sameAddress(holder.delegatedTo, account) ? 'yourself' : sameAddress(holder.delegatedTo, writer) ? 'this agent' : address(holder.delegatedTo))],
  ]);
}

/** @param {{from: string, to: string, value: string, data: string}} transaction @param {number} chainId @param {string} [meaning] */
function transactionTable(transaction, chainId, meaning) {
  return facts([
    ['Calls', meaning && h('span', { class: 'hex' }, meaning)], ['Chain', chainId], ['From', address(transaction.from)], ['To (the token)', address(transaction.to)], ['Value', '0'],
    ['Data', h('span', { class: 'hex' }, transaction.data)],
  ]);
}

/** @param {string} a @param {string} b */
const sameAddress = (a, b) => a.toLowerCase() === b.toLowerCase();
