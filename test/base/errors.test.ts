import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync, writeSync, openSync, closeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { saidOf, UsageError } from '../../src/base/errors.ts'

const thrown = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

describe('what the commands say of an error', () => {
  it('is a sentence with the path, where the file system refuses', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ussd-said-'))
    const file = join(folder, 'file')
    writeFileSync(file, '')
    const below = join(file, 'data')
    assert.equal(
      saidOf(thrown(() => mkdirSync(below, { recursive: true }))),
      `${below}: not a directory (ENOTDIR, mkdir). Use another path, or fix this one`,
    )
    rmSync(folder, { recursive: true })
  })
  it('is a sentence without one, where the disk is full: whoever writes to an open file knows no path', function () {
    const full = openSync('/dev/full', 'w')
    const error = thrown(() => writeSync(full, 'x'))
    closeSync(full)
    assert.equal(saidOf(error), 'no space left on device (ENOSPC, write). Make room')
  })
  it('names no path where it is a port that may not be listened at', () => {
    const error = Object.assign(new Error('listen EACCES: permission denied 127.0.0.1:80'), {
      code: 'EACCES',
      syscall: 'listen',
    })
    assert.equal(saidOf(error), 'cannot listen: listen EACCES: permission denied 127.0.0.1:80')
  })
  it('is the stack of what nobody foresaw, and the message alone of what the operator can mend', () => {
    assert.match(saidOf(new TypeError('x is not a function')), /TypeError: x is not a function\n +at /)
    assert.equal(saidOf(new UsageError('name a file')), 'name a file')
  })
})
