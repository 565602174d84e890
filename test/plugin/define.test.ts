/** `defineScreenType`: what it makes, and what TypeScript then knows of the keys. `npm run typecheck` holds the types. */
import assert from 'node:assert/strict'
import { screenType, TERMS } from '../../src/flow/read/plugin.ts'
import { defineScreenType } from '../../src/plugin/index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Text = string | Record<string, string>

const rating = defineScreenType({
  name: 'rating',
  schema: ({ z, text, name, values }) =>
    z.strictObject({
      rating: text.describe('The question.'),
      of: z.array(text).min(2).describe('What the answers read like.'),
      rows: z.array(z.strictObject({ to: name, set: values })).describe('An array of terms in an object.'),
      to: name.optional().describe('The screen that comes next.'),
    }),
  expand: (own, screen) => {
    const whole: Same<
      typeof screen,
      {
        rating: Text
        of: Text[]
        rows: { to: string; set: Record<string, string | number | boolean | null> }[]
        to?: string | undefined
      }
    > = true
    assert.ok(whole)
    // @ts-expect-error `of` is an array of texts, not of numbers: a key that were `any` or `unknown` would pass here.
    const wrong: number[] = screen.of
    assert.ok(wrong)
    return { [own]: { menu: screen.rating, choices: screen.of.map((label) => ({ label, to: screen.to ?? own })) } }
  },
})

describe('a type of screen made with defineScreenType', () => {
  it('is a plug-in that the reading of flows takes, and is given its screen', () => {
    const type = screenType(rating(TERMS))
    assert.equal(type.name, 'rating')
    const { how } = type.expand('how', { rating: 'How was it?', of: ['Bad', 'Good'], rows: [], to: 'bye' }, ['en'])
    const { kind, menu, choices } = how!.screen as unknown as Record<string, unknown>
    assert.deepEqual([kind, menu], ['menu', 'How was it?'])
    assert.deepEqual(
      (choices as { label: string; to: string }[]).map(({ label, to }) => ({ label, to })),
      [
        { label: 'Bad', to: 'bye' },
        { label: 'Good', to: 'bye' },
      ],
    )
  })
})
