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
 * The check of one agent. Listeners hear `change` when something became known, `entry N` when it is about that entry,
 * `settled` when the check ended.
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
    /** What came out in the end. @type {{counts: Record<string, number>, entries: number, tier: string | undefined, whole: {label: string, where: string}} | null} */
    this.outcome = null;
    this.problem = '';
    /** @type {Helper | null} */
    this.helper = null;
    this.stopped = false;
    const start = () => this.start(place, disclosures);
    first.then(start, start);
  }

  /** @param {any} place @param {ArrayBuffer[]} disclosures */
  async start(place, disclosures) {
    if (this.stopped) return;
    this.helper = new Helper((event) => this.hear(event));
    try {
      this.outcome = await this.helper.ask('check', place, this.writer, disclosures);
      this.state = 'done';
    } catch (error) {
      this.state = 'failed';
      this.problem = /** @type {Error} */ (error).message;
    }
    this.tell('settled');
    this.tell('change');
  }

  /** @param {{labels: [number, any][]}} event */
  hear({ labels }) {
    for (const [seq, label] of labels) {
      this.labels.set(seq, label);
      this.tell(`entry ${seq}`);
    }
    this.tell('change');
  }

  /** @param {string} event */
  tell(event) {
    this.dispatchEvent(new Event(event));
  }

  /** Of everything that is about no single entry. @returns {{label: string, where: string}} */
  get whole() {
    return this.outcome?.whole ?? { label: this.state === 'failed' ? 'failed' : 'checking', where: '' };
  }

  /** @param {number} seq @returns {{label: string, where: string}} */
  labelOf(seq) {
    const known = this.labels.get(seq);
    if (known) return known;
    if (this.outcome === null) return { label: this.whole.label, where: '' };
    // An entry without a verdict of its own (administration) is bound by the heads of step 3.
    return { label: seq <= this.outcome.entries ? this.whole.label : 'pending', where: '' };
  }

  /** What its votes rest on: how an account of EIP-7702 voted shows only now. */
  get tier() {
    return this.outcome?.tier;
  }

  /** @param {number | null} seq @returns {Promise<any[]>} */
  async verdicts(seq) {
    return this.helper?.ask('verdicts', seq) ?? [];
  }

  stop() {
    this.stopped = true;
    this.helper?.stop();
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
    /** @type {Promise<{chainId: number}>} */
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
