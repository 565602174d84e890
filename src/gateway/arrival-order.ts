/** Messages of one subscriber whose order counts. */
import { TurnoverMap } from '../base/index.ts'

/**
 * Begins and hang-ups of one subscriber are decided in the order in which they arrived. A redial comes within
 * milliseconds of its hang-up, and where numbers of dialogues have one octet it may have the same one: decided
 * together from one record, it would get the screen of the dialogue that ends at that moment, or nothing. Keys need
 * no order: each of them writes, and the store refuses what was decided from an old record.
 */
export class ArrivalOrder {
  /** The last such message of each subscriber that is not decided yet. */
  readonly #last = new TurnoverMap<string, Promise<unknown>>()

  /** Decides when all earlier messages of `name` are decided. */
  after<T>(name: string, decide: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name)
    const deciding = before ? before.then(decide, decide) : decide()
    this.#last.set(name, deciding)
    const decided = () => {
      if (this.#last.get(name) === deciding) this.#last.delete(name)
    }
    deciding.then(decided, decided)
    return deciding
  }

  waiting(): number {
    return this.#last.size
  }
}
