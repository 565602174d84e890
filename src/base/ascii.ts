/** Short texts as octets, where a call into Node.js costs more than the octets (docs/WHY.md, "What a record costs"). */

const ASCII_MAX = 0x7f
/** To look it up in each string takes as long as all else, because strings are of many kinds to V8. */
const { charCodeAt } = String.prototype

/** Writes a text that is all ASCII at this place, which has room for it. False: it is not; what is there is spoilt. */
export function asciiInto(page: Uint8Array, text: string, at: number): boolean {
  const { length } = text
  for (let n = 0; n < length; n++) {
    const unit = charCodeAt.call(text, n)
    if (unit > ASCII_MAX) return false
    page[at + n] = unit
  }
  return true
}
