/**
 * The first thing that runs: an older Node.js gets one sentence, not the stack of whatever is missing in it. The floor
 * is that of package.json.
 */
const FLOOR = [20, 19] as const

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < FLOOR[0] || (major === FLOOR[0] && minor < FLOOR[1])) {
  process.stderr.write(
    `ussd-connector needs Node.js ${FLOOR.join('.')} or later, and this is ${process.versions.node}: install a newer one (nodejs.org)\n`,
  )
  process.exit(1)
}
