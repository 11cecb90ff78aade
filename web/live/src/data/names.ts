/** The names that cells speak of by number: each server numbers them in its own order, this page in one for all. */

export class Names {
  readonly texts: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #told = new Map<string, number[]>();

  /** Takes names of a server, the first of which has the number `first` there; returns all of its names, as this page
   * numbers them. */
  learn(epoch: string, first: number, names: readonly string[]): readonly number[] {
    let told = this.#told.get(epoch);
    if (told === undefined) this.#told.set(epoch, (told = []));
    for (const [place, text] of names.entries()) told[first + place] = this.#numberOf(text);
    return told;
  }

  #numberOf(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) this.#numbers.set(text, (number = this.texts.push(text) - 1));
    return number;
  }
}
