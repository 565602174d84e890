/**
 * A piece of a text that does not hold the whole of it. V8 cuts a piece of thirteen characters and more by referring to
 * the text: who keeps the piece, keeps the text. Joined with something, it is copied, and is cut from the copy.
 */
export function ownPiece(piece: string): string {
  return ` ${piece}`.slice(1)
}
