/** Options of the benches that are files of their own. */

/** The number behind an option of the command line. */
export function numberOf(name: string, otherwise: number): number {
  const at = process.argv.indexOf(name)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}
