/**
 * The state while it changes: who is told, and the way back.
 *
 * Views are told once a frame, however often the state changed in it. Changes of one gesture (a
 * drag, a held key) are one step of undo.
 */

/**
 * @typedef {import("./state.js").State} State
 * @typedef {Pick<State, "task" | "network">} Step what undo goes back to
 */

const MOST_UNDONE = 500;

export class Store {
  /** @type {Step[]} */ #past = [];
  /** @type {Step[]} */ #future = [];
  #gesture = "";
  #frame = 0;
  /** @type {((state: State) => void)[]} */ #views = [];

  /** @param {State} state */
  constructor(state) {
    this.state = state;
  }

  /** @param {(state: State) => void} view called once a frame after a change, and now */
  subscribe(view) {
    this.#views.push(view);
    view(this.state);
  }

  /**
   * @param {Partial<State>} change
   * @param {string} [gesture] what the change is a part of; one of another name is a step of its own
   */
  update(change, gesture = "") {
    const { task, network } = this.state;
    const next = { ...this.state, ...change };
    if (next.network !== network || next.task !== task) {
      if (!gesture || gesture !== this.#gesture) {
        this.#past = [...this.#past, { task, network }].slice(-MOST_UNDONE);
      }
      this.#future = [];
      this.#gesture = gesture;
    }
    this.#set(next);
  }

  /** End a gesture: the next change is a step of its own. */
  settle() {
    this.#gesture = "";
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  undo() {
    this.#past = this.#moved(this.#past, this.#future);
  }

  redo() {
    this.#future = this.#moved(this.#future, this.#past);
  }

  /**
   * @param {Step[]} from
   * @param {Step[]} to gets the present
   * @returns {Step[]} what is left of `from`
   */
  #moved(from, to) {
    const step = from.at(-1);
    if (!step) return from;
    const { task, network } = this.state;
    to.push({ task, network });
    this.settle();
    this.#set({ ...this.state, ...step, ...(step.task !== task && { row: 0, axes: [0, 1] }) });
    return from.slice(0, -1);
  }

  /** @param {State} state */
  #set(state) {
    this.state = state;
    this.#frame ||= requestAnimationFrame(() => this.show());
  }

  /** Tell the views now: what is printed waits for no frame. */
  show() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    for (const view of this.#views) view(this.state);
  }

  /** Tell nobody any more. */
  close() {
    cancelAnimationFrame(this.#frame);
    this.#views = [];
  }
}
