/** One log at one endpoint: the workers that read and check it, and what they have said so far. */

/** A worker as a function that is waited for. */
class Helper {
  /** @param {(event: any) => void} [onEvent] */
  constructor(onEvent = () => {}) {
    /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
    this.waiting = new Map();
    this.next = 1;
    this.worker = new Worker(workerUrl(), { type: 'module' });
    this.worker.addEventListener('message', ({ data }) => {
      if (data.event !== undefined) {
        onEvent(data);
        return;
      }
      const asked = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if (data.error !== undefined) asked?.reject(new Error(data.error));
      else asked?.resolve(data.result);
    });
    this.worker.addEventListener('error', (event) => {
      event.preventDefault();
      for (const { reject } of this.waiting.values()) reject(new Error('This browser could not start the checking part of the page.'));
      this.waiting.clear();
    });
  }

  /** @param {string} call @param {...any} args @returns {Promise<any>} */
  ask(call, ...args) {
    return new Promise((resolve, reject) => {
      const id = this.next++;
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, call, args });
    });
  }

  stop() {
    this.worker.terminate();
  }
}

/** @type {any} */
const trusted = /** @type {any} */ (globalThis).trustedTypes?.createPolicy('pnyx', {
  createScriptURL: (/** @type {string} */ name) => {
    if (name !== 'worker.js') throw new TypeError('this page starts one worker only');
    return new URL(name, document.baseURI).href;
  },
});

/** @returns {any} */
const workerUrl = () => (trusted ? trusted.createScriptURL('worker.js') : 'worker.js');

/**
 * The check of one agent. Listeners hear `change` when labels or the state changed.
 */
export class Checking extends EventTarget {
  /** What is shown comes `first`. @param {any} place @param {string} writer @param {ArrayBuffer[]} disclosures @param {Promise<any>} first */
  constructor(place, writer, disclosures, first) {
    super();
    this.writer = writer;
    /** @type {'running' | 'done' | 'failed'} */
    this.state = 'running';
    /** @type {Map<number, {label: string, where: string}>} */
    this.labels = new Map();
    /** @type {any} */
    this.report = null;
    /** @type {any} */
    this.whole = null;
    this.problem = '';
    this.helper = new Helper((event) => this.hear(event));
    this.helper.ask('use', place);
    const start = () => this.helper.ask('check', writer, disclosures);
    first.then(start, start).then(
      (result) => this.finish(result),
      (error) => this.fail(error),
    );
  }

  /** @param {{labels: [number, any][]}} event */
  hear({ labels }) {
    for (const [seq, label] of labels) this.labels.set(seq, label);
    this.tell();
  }

  /** @param {any} result */
  finish(result) {
    this.state = 'done';
    this.report = result.report;
    this.whole = result.whole;
    this.hear(result);
  }

  /** @param {Error} error */
  fail(error) {
    this.state = 'failed';
    this.problem = error.message;
    this.tell();
  }

  /** Of everything that is about no single entry. */
  get wholeLabel() {
    return this.whole ?? { label: this.state === 'failed' ? 'failed' : 'checking', where: '' };
  }

  tell() {
    this.dispatchEvent(new Event('change'));
  }

  /** @param {number} seq @returns {{label: string, where: string}} */
  labelOf(seq) {
    const known = this.labels.get(seq);
    if (known) return known;
    // An entry without a verdict of its own (administration) is bound by the heads of step 3.
    const isBound = seq <= (this.report?.writers[0]?.entries ?? 0);
    return { label: { running: 'checking', done: isBound ? this.whole.label : 'pending', failed: 'failed' }[this.state], where: '' };
  }

  /** What its votes rest on: how an account of EIP-7702 voted shows only now. */
  get tier() {
    return this.report?.writers[0]?.tier.toUpperCase();
  }

  /** @param {number | null} seq @returns {Promise<any[]>} */
  verdicts(seq) {
    return this.helper.ask('verdicts', seq);
  }

  stop() {
    this.helper.stop();
  }
}

export class Session {
  /** @param {import('./route.js').Place} place */
  constructor(place) {
    this.place = place;
    this.key = JSON.stringify(place);
    this.reader = new Helper();
    /** @type {ArrayBuffer[]} */
    this.disclosures = [];
    /** @type {Checking | null} */
    this.check = null;
    /** @type {Promise<{chainId: number, agents: import('./reading.js').Agent[]}>} */
    this.opened = this.reader.ask('open', place);
  }

  /** Asks the reader, once the log is open. @param {string} call @param {...any} args @returns {Promise<any>} */
  async ask(call, ...args) {
    await this.opened;
    return this.reader.ask(call, ...args);
  }

  /** Checks a file. What a disclosure opens, the check of an agent knows from then on. @param {ArrayBuffer} data */
  async checkFile(data) {
    const found = await this.ask('file', data);
    if (found.format === 'pnyx.disclosure.v1' && found.problem === '') {
      this.disclosures.push(data);
      this.check?.stop();
      this.check = null;
    }
    return found;
  }

  /** The check of an agent; one runs at a time, and begins after `first`. @param {string} writer @param {Promise<any>} first */
  checking(writer, first) {
    if (this.check?.writer.toLowerCase() !== writer.toLowerCase()) {
      this.check?.stop();
      this.check = new Checking(this.place, writer, this.disclosures, first);
    }
    return /** @type {Checking} */ (this.check);
  }

  stop() {
    this.reader.stop();
    this.check?.stop();
  }
}
