import assert from 'node:assert/strict'
import { createAccess, FAILED_EACH_MS, FAILED_MAX, readTokens, tokenHash } from '../../src/admin/access.ts'
import { ProblemsError } from '../../src/base/errors.ts'

const hex = (token: string) => tokenHash(token).toString('hex')

describe('admin tokens', () => {
  it('are read with roles, names and comments', () => {
    const tokens = readTokens(
      'tokens',
      `# who\n\nread:${hex('a')} grafana\noperate:${hex('b').toUpperCase()}   # the night shift\n`,
    )
    assert.deepEqual(
      tokens.map(({ role, name }) => [role, name]),
      [
        ['read', 'grafana'],
        ['operate', hex('b').slice(0, 8)],
      ],
    )
  })

  it('all bad lines are named at once, and none of them is shown', () => {
    const secret = 'S3cretTokenInClear'
    assert.throws(
      () => readTokens('tokens', `read:${secret}\nadmin:${hex('a')}\noperate:${hex('b')}\n`),
      (error: unknown) => {
        assert.ok(error instanceof ProblemsError)
        assert.deepEqual(
          error.problems.map((problem) => problem.where),
          ['tokens:1', 'tokens:2'],
        )
        assert.doesNotMatch(error.message, new RegExp(secret))
        return true
      },
    )
    assert.throws(() => readTokens('tokens', '# nobody\n'), /has no token/)
  })

  it('an address that fails again and again is told so for a while; a right token is let in all the time', () => {
    const access = createAccess(readTokens('tokens', `read:${hex('right')}`))
    const check = (token: string, address: string, nowMs: number) =>
      access.check({ header: `Bearer ${token}`, address }, nowMs).is
    for (let i = 0; i < FAILED_MAX; i++) assert.equal(check('wrong', '::1', 1_000), 'wrong')
    assert.equal(check('wrong', '::1', 1_000), 'locked')
    assert.equal(check('right', '::1', 1_000), 'known')
    assert.equal(check('wrong', '::1', 1_000), 'locked', 'and that changes nothing for wrong ones')
    assert.equal(check('wrong', '10.0.0.2', 1_000), 'wrong')
    assert.equal(check('wrong', '::1', 1_000 + FAILED_EACH_MS), 'wrong')
    assert.equal(check('wrong', '::1', 1_000 + FAILED_EACH_MS), 'locked')
    assert.equal(access.check({ header: undefined, address: '::1' }, 1_000).is, 'nobody')
  })

  it('nothing but the whole token opens: not its hash, not without the word Bearer', () => {
    const access = createAccess(readTokens('tokens', `read:${hex('right')}`))
    for (const header of [
      `Bearer ${hex('right')}`,
      'right',
      'Basic right',
      'Bearer',
      'Bearer right ',
      'Bearer RIGHT',
      '',
    ]) {
      assert.equal(access.check({ header, address: header }, 0).is, 'wrong', header)
    }
    assert.equal(access.check({ header: 'bearer  right', address: '' }, 0).is, 'known')
  })
})
