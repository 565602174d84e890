// Mocha's spec report, closed by the one line that machines read: 'N passed, N failed[, N skipped]'. Where the process is
// a part of the suite (suite.ts), the counts go into the file that it names, and the line is written there.
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import Mocha from 'mocha'

export default class ClosingLine extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const file = process.env.TEST_COUNTS_FILE
    // What a test starts is no part of the suite.
    delete process.env.TEST_COUNTS_FILE
    process.once('exit', () => {
      const { passes = 0, failures = 0, pending = 0 } = this.stats
      if (file) {
        const failed = this.failures.map((test) => `${fileOf(test)}: ${test.fullTitle()}`)
        writeFileSync(file, JSON.stringify({ passes, failures, pending, failed }))
      } else process.stdout.write(`\n${passes} passed, ${failures} failed${pending ? `, ${pending} skipped` : ''}\n`)
    })
  }
}

/** A hook has the file of its suite. */
function fileOf(test) {
  const file = test.file ?? test.parent?.file
  return file ? relative(process.cwd(), file) : 'no file'
}
