/** What things on chain mean, for people who never heard of them. */

/** What an entry of a kind says that the agent did. @type {Record<string, string>} */
export const KINDS = {
  VOTE: 'Voted', SKIP: 'Did not vote', HOLD: 'Asked people to decide', DECISION: 'Decided, without casting a vote', VOID: 'Took an entry back',
  MISSED: 'Missed the deadline', CORRECTION: 'Corrected an earlier entry', CONFIG_ANNOUNCED: 'Announced a new configuration',
  CONFIG_ACTIVATED: 'Started to work by its new configuration', SUCCEEDED: 'Handed over to a successor', SUCCEEDS: 'Took over from a predecessor',
  SIGNER_ANNOUNCED: 'Announced a new signer', SIGNER_ACTIVATED: 'Changed its signer', GOVERNOR_ANNOUNCED: 'Announced a change of its governors',
  GOVERNOR_ACTIVATED: 'Changed its governors', PAUSED: 'Votes were paused by the guardian', UNPAUSED: 'Votes were allowed again by the guardian',
};

/** Entries about a proposal. @param {string} kind */
export const isDecision = (kind) => ['VOTE', 'SKIP', 'HOLD', 'DECISION', 'VOID', 'MISSED', 'CORRECTION'].includes(kind);

/** @type {Record<string, string>} */
export const SUPPORT = { 0: 'against', 1: 'for', 2: 'to abstain' };

/** @param {{ kind: string, action: string }} entry */
export function whatItDid({ kind, action }) {
  if (kind !== 'VOTE') return KINDS[kind] ?? kind;
  const support = BigInt(action);
  return `Voted ${SUPPORT[String(support)] ?? `with the number ${support}`}`;
}

/** @type {Record<string, string>} */
export const TIERS = {
  ENFORCED: 'The chain itself refuses any vote of this agent that is not written to the log in the same transaction.',
  ATOMIC: 'Its votes come in one transaction with their entry, but its key could also vote alone. This page looks for such votes.',
  DECLARED: 'A plain key that promises to write an entry before each vote. This page looks for votes without one.',
  UNKNOWN: 'Some other contract. It promises nothing that this page knows.',
};

/** @type {Record<string, {text: string, help: string}>} */
export const LABELS = {
  checking: { text: 'checking…', help: 'Your browser is checking this now.' },
  checked: { text: 'checked', help: 'Everything that this page can check agrees.' },
  differs: { text: 'differs', help: 'Something is not as the agent says.' },
  withheld: { text: 'withheld', help: 'The evidence that the agent owes is not there.' },
  'not proven': { text: 'not proven', help: 'The agent keeps back something that its decision rests on.' },
  'not checkable': { text: 'not checkable', help: 'Part of this could not be checked; the reasons are inside.' },
  pending: { text: 'not final yet', help: 'Too new to check, or the vote is still open.' },
  failed: { text: 'not checked', help: 'The check could not be finished.' },
};

/** @type {Record<number, [string, string]>} */
export const STEPS = {
  1: ['Log code', 'The contract is the decision log that this page knows, byte for byte.'],
  2: ['Registration', 'The agent joined the log once, and what it declared then is unchanged.'],
  3: ['Entries', 'No entry was dropped, changed or reordered.'],
  4: ['Configuration changes', 'Each change was announced in time.'],
  5: ['Writer', 'What kind of account this is, and whether its code is genuine.'],
  6: ['Votes', 'Each vote of the agent, anywhere, has its entry.'],
  7: ['Announced votes', 'Each entry that says "voted" has its vote.'],
  8: ['Completeness', 'Each proposal that it answers for was answered in time.'],
  9: ['Evidence', 'The evidence is there, and is what the entry commits to.'],
  10: ['Header', 'The record was made for this chain, log, agent and configuration.'],
  11: ['Declared configuration', 'Rules, checks and models are the declared ones.'],
  12: ['Proposal', 'The record holds what the governor announced.'],
  13: ['State', 'Contract state, read again, is as recorded.'],
  14: ['Simulation', 'Simulated again, the calls do what the record says.'],
  15: ['Context', 'Its tools, run again, give what the record says.'],
  16: ['Findings', 'The checks, run again, find the same.'],
  17: ['Prompts', 'Rendered again, the prompts are the recorded ones.'],
  18: ['Answers', 'The recorded answers of models give the recorded opinions.'],
  19: ['Decision', 'The rules lead to the recorded decision.'],
  20: ['Entry', 'The vote is what the decision, and people, entitle it to.'],
};

const TIME = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });

/** @param {number} seconds */
export const when = (seconds) => `${TIME.format(seconds * 1000)} UTC`;

/** @param {number} seconds */
export function duration(seconds) {
  for (const [unit, size] of /** @type {const} */ ([['day', 86400], ['hour', 3600], ['minute', 60]])) {
    if (seconds >= size) {
      const count = Math.round((seconds / size) * 10) / 10;
      return `${count} ${unit}${count === 1 ? '' : 's'}`;
    }
  }
  return `${seconds} seconds`;
}

/** Exact decimal text of an amount in smallest units. @param {bigint} units @param {number} decimals */
export function decimal(units, decimals) {
  const scale = 10n ** BigInt(decimals);
  const rest = decimals === 0 ? '' : (units % scale).toString().padStart(decimals, '0').replace(/0+$/, '');
  return (units / scale).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',') + (rest === '' ? '' : `.${rest}`);
}

/** Whose answer it is, what they saw, and which of several. @param {any} analyst */
export function seatOf({ name, view, sample }) {
  const marks = [view === 'facts-alone' && 'facts alone', sample > 0 && `answer ${sample + 1}`].filter(Boolean);
  return marks.length > 0 ? `${name} (${marks.join(', ')})` : name;
}
