/**
 * PyTorch's random numbers: `torch.manual_seed(seed)` and the start of `nn.Linear`.
 *
 * A seed gives the very network that PyTorch makes from it, so that a run of the lecture can be
 * continued here. The generator is the Mersenne Twister; a float32 takes 24 bits of a word.
 *
 * Matsumoto, Nishimura, "Mersenne Twister" (1998), https://doi.org/10.1145/272991.272995
 */

const WORDS = 624;
const MIDDLE = 397;

/** The 32-bit Mersenne Twister. */
export class Twister {
  /** @param {number} seed a whole number in 0..2^32-1 */
  constructor(seed) {
    this.state = new Uint32Array(WORDS);
    this.state[0] = seed;
    for (let i = 1; i < WORDS; i++) {
      const last = this.state[i - 1] ^ (this.state[i - 1] >>> 30);
      this.state[i] = Math.imul(1812433253, last) + i;
    }
    this.next = WORDS;
  }

  /** @returns {number} a word of 32 random bits */
  word() {
    if (this.next === WORDS) this.#turn();
    let y = this.state[this.next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #turn() {
    const { state } = this;
    for (let i = 0; i < WORDS; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % WORDS] & 0x7fffffff);
      state[i] = state[(i + MIDDLE) % WORDS] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }

  /**
   * @param {number} bound
   * @returns {number} a float32 in [-bound, bound), as `torch.Tensor.uniform_` draws it
   */
  uniform(bound) {
    const unit = (this.word() & 0xffffff) / 2 ** 24;
    const low = Math.fround(-bound);
    const range = Math.fround(Math.fround(bound) - low);
    return Math.fround(unit * range + low); // fused, as PyTorch's is; exact in double
  }
}

/**
 * @param {number[]} sizes units by layer: inputs, hidden units, outputs
 * @param {number} seed as given to `torch.manual_seed`
 * @returns {{weight: number[][], bias: number[]}[]} what `nn.Linear` starts from, layer by layer
 */
export function linearStart(sizes, seed) {
  const draws = new Twister(seed);
  return sizes.slice(1).map((units, number) => {
    const inputs = sizes[number];
    const bound = 1 / Math.sqrt(inputs);
    return {
      weight: Array.from({ length: units }, () =>
        Array.from({ length: inputs }, () => draws.uniform(bound)),
      ),
      bias: Array.from({ length: units }, () => draws.uniform(bound)),
    };
  });
}
