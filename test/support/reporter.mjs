// Mocha's spec report, closed by the one line that machines read: 'N passed, N failed[, N skipped]'.
import Mocha from 'mocha'

export default class ClosingLine extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    process.once('exit', () => {
      const { passes = 0, failures = 0, pending = 0 } = this.stats
      process.stdout.write(`\n${passes} passed, ${failures} failed${pending ? `, ${pending} skipped` : ''}\n`)
    })
  }
}
