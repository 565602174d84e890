/** A custom screen type: asks for a rating, the worst first. A subscriber who gives a bad rating may be asked more. */

/** @type {import('ussd-connector/plugin').ScreenPlugin} */
export const screen = ({ z, text, name }) => ({
  name: 'rating',
  schema: z
    .strictObject({
      rating: text.describe('The question.'),
      of: z.array(text).min(2).max(9).describe('What the answers read like, the worst first.'),
      as: name.describe('The rating, from 1, is `vars.<as>` from then on.'),
      to: name.describe('The screen that comes next.'),
      worst: name.optional().describe('The screen that comes next after the worst rating.'),
    })
    .describe('Asks for a rating.'),
  expand: (own, { rating, of, as, to, worst = to }) => ({
    [own]: { menu: rating, choices: of.map((label, i) => ({ label, to: i === 0 ? worst : to, set: { [as]: i + 1 } })) },
  }),
  place: (_made, [key, i, within]) => {
    if (key === 'menu') return ['rating']
    if (key !== 'choices') return []
    return within === 'label' ? ['of', i] : [within === 'to' && i === 0 ? 'worst' : String(within ?? 'of')]
  },
})
