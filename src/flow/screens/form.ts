/**
 * A form becomes an input for each field, a menu that shows the answers, and behind each line of that menu the field's
 * input again. So everything that works for inputs and menus (check, exploring, keys, deep dial, resume) works for
 * forms.
 */
import { z } from 'zod'
import { name, text, type Path } from '../terms/index.ts'
import { back, keys } from './choices.ts'
import { rules, type InputScreen } from './input.ts'
import type { MenuScreen } from './menu.ts'
import { to } from '../plan/index.ts'
import type { Expanded, ScreenType } from './screen-type.ts'

/** The most fields of one form: the page with all of them has a line for each. */
const FIELDS_MAX = 20

const field = z
  .strictObject({
    as: name.describe('Keeps the answer as `answers.<as>`.'),
    input: text.describe('The prompt.'),
    label: text.optional().describe('How the answer reads on the page that shows all. Default: the answer alone.'),
    ...rules,
  })
  .meta({ title: '`{ as, input, label, … }`' })

const schema = z
  .strictObject({
    form: text.describe('The text above the answers, once all are given.'),
    fields: z
      .array(field)
      .min(1)
      .max(FIELDS_MAX)
      .describe('The questions, in order, each like an `input` with its rules and `attempts`.'),
    confirm: text.describe('The line that confirms the answers. Any other line asks that field again.'),
    to,
    giveUp: name.optional().describe('As in an `input`, for every field.'),
    back,
    keys,
  })
  .describe('Asks several questions one after the other, then shows the answers to change or confirm.')

type Form = z.infer<typeof schema>

export const formScreen: ScreenType & { schema: typeof schema } = {
  name: 'form',
  schema,
  expand: (made, screen) => screensOf(made, screen as Form),
}

function screensOf(own: string, form: Form): Record<string, Expanded> {
  const { fields, form: title, confirm, giveUp } = form
  const nameOf = (i: number) => (i === 0 ? own : `${own}-${fields[i]?.as}`)
  const review = `${own}-review`
  const inputOf = (i: number, next: string): InputScreen => {
    const { label: _label, ...rules } = fields[i] as Form['fields'][number]
    return {
      kind: 'input',
      ...rules,
      to: next,
      ...(giveUp === undefined ? {} : { giveUp }),
      ...(form.keys === undefined ? {} : { keys: form.keys }),
    }
  }
  const change = (i: number) => `${own}-change-${fields[i]?.as}`
  const menu: MenuScreen = {
    kind: 'menu',
    menu: title,
    ...(form.back === undefined ? {} : { back: form.back }),
    ...(form.keys === undefined ? {} : { keys: form.keys }),
    choices: [
      { label: confirm, to: form.to },
      ...fields.map(({ as, label = `{answers.${as}}` }, i) => ({ label, to: change(i) })),
    ],
  }
  const input = (i: number, next: string): Expanded => ({
    screen: inputOf(i, next),
    place: (path) => inputPlace(path, i),
  })
  return Object.fromEntries([
    ...fields.map((_field, i) => [nameOf(i), input(i, i + 1 < fields.length ? nameOf(i + 1) : review)]),
    [review, { screen: menu, place: menuPlace }],
    ...fields.map((_field, i) => [change(i), input(i, review)]),
  ]) as Record<string, Expanded>
}

function inputPlace(path: Path, field: number): Path {
  const [key] = path
  return key === 'to' || key === 'giveUp' || key === 'keys' ? [key] : ['fields', field, ...path]
}

function menuPlace(path: Path): Path {
  const [key, which, ...rest] = path
  if (key === 'menu') return ['form']
  if (key !== 'choices') return path
  if (which === 0) return [rest[0] === 'to' ? 'to' : 'confirm']
  return ['fields', Number(which) - 1, ...rest]
}
