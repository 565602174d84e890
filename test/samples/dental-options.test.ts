import assert from 'node:assert/strict'
import { ProblemsError } from '../../src/base/errors.ts'
import { dentalOptions } from '../../samples/dental/options.ts'

describe("the dental module's own settings", () => {
  it('are only what was set, so that what is absent keeps its default', () => {
    assert.deepEqual(dentalOptions({}, 'here'), {})
    assert.deepEqual(dentalOptions({ tailored: true }, 'here'), { tailored: true })
  })

  it('are refused with all that is wrong, each with its place', () => {
    assert.throws(
      () => dentalOptions({ holdMs: 1, tailored: 'yes', tailord: true }, 'backends.dental.settings'),
      (error) => {
        assert.ok(error instanceof ProblemsError)
        assert.equal(error.problems.length, 3)
        assert.match(error.message, /backends\.dental\.settings\.holdMs/)
        assert.match(error.message, /backends\.dental\.settings\.tailored/)
        assert.match(error.message, /"tailord"/)
        return true
      },
    )
  })
})
