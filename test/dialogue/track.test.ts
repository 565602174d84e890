import assert from 'node:assert/strict'
import { answeredAfter, NO_TRACK, PATH_CHARS_MAX, playedStep, type Track } from '../../src/dialogue/track.ts'

describe('the way of a dialogue through its screens', () => {
  const answered = (track: Track, screen: string, ms: number, choice?: string) =>
    playedStep(
      answeredAfter(track, screen, 'input', ms),
      choice === undefined ? { backendMs: 0 } : { choice, backendMs: 0 },
    )

  it('has each screen, the number that was chosen, and the seconds until the key', () => {
    let track = answered(NO_TRACK, 'main', 4_400, '1')
    track = answered(track, 'name', 11_000)
    track = answered(track, 'sure', 2_500, '1')
    assert.deepEqual(track, { path: 'main:1/4>name:*/11>sure:1/3', waitMs: 17_900, backendMs: 0 })
  })

  it('has a star for what is not known to be a choice: until the turn is played, and for what is no key', () => {
    assert.equal(answeredAfter(NO_TRACK, 'main', 'input', 0).path, 'main:*/0')
    assert.equal(answered(NO_TRACK, 'main', 0, 'John').path, 'main:*/0')
    assert.equal(answered(NO_TRACK, 'main', 0, '1>x').path, 'main:*/0')
    assert.equal(answered(NO_TRACK, 'main', 0, '12345').path, 'main:*/0')
    assert.equal(answeredAfter(NO_TRACK, 'told', 'notify-ack', 0).path, 'told:ack/0')
  })

  it('changes only its last step: an earlier star stays', () => {
    const typed = answered(NO_TRACK, 'name', 1_000)
    assert.equal(
      playedStep(answeredAfter(typed, 'told', 'notify-ack', 0), { choice: '1', backendMs: 0 }).path,
      'name:*/1>told:ack/0',
    )
  })

  it('counts no time backwards, and adds up that of back ends', () => {
    const track = playedStep(answeredAfter(NO_TRACK, 'a', 'input', -500), { backendMs: -3 })
    assert.deepEqual(track, { path: 'a:*/0', waitMs: 0, backendMs: 0 })
    assert.equal(playedStep({ ...track, backendMs: 7 }, { backendMs: 5 }).backendMs, 12)
  })

  it('is bounded, and says once where it was cut; times go on', () => {
    let track = NO_TRACK
    for (let n = 0; n < 100; n++) track = answered(track, 'a-screen', 1_000, '2')
    assert.ok(track.path.length <= PATH_CHARS_MAX)
    assert.match(track.path, /^a-screen:2\/1>.*[^+]>\+$/)
    assert.equal(track.path.split('+').length, 2)
    assert.equal(track.waitMs, 100_000)
  })
})
