/** The offer to go on with a dialogue that was lost. */
import { RESUME, type DialogueContext } from '../../../machines/dialogue.ts'
import { offering } from './offer.ts'
import { GOODBYE, left, type Env, type Plan } from './plan.ts'

/**
 * `origins`: the screens that a dialogue may be taken up at; `start`: where the main menu is; `confirms`: the screens
 * that are not taken up themselves.
 */
export function resumePlan(env: Env, start: string, origins: readonly string[], confirms: ReadonlySet<string>): Plan {
  const taken = (context: DialogueContext): DialogueContext => {
    const { resume } = context
    if (!resume) return context
    const lost = resume.context as DialogueContext
    const isSame = !confirms.has(resume.value) && lost.gate === undefined
    return { ...takenUp(context, resume), ...(isSame ? pageOf(lost) : {}) }
  }
  return {
    targets: [start, GOODBYE, ...origins],
    ...offering(
      env,
      (context) => {
        const origin = String(context.resume?.context.origin ?? '')
        return {
          title: () => env.word('resume', context),
          options: [
            {
              label: () => env.word('continue', context),
              to: origins.includes(origin) ? origin : start,
              choose: taken,
            },
            {
              label: () => env.word('main-menu', context),
              to: start,
              choose: (chosen) => ({ ...chosen, resume: null }),
            },
          ],
        }
      },
      (context) => ({ ...context, dialled: [], language: languageOf(context, env) }),
    ),
  }
}

/** A dialogue lost on this very offer is the one that was offered. */
export function innermost(lost: { value: string; context: DialogueContext }): {
  value: string
  context: DialogueContext
} {
  const inner = lost.context.resume as { value: string; context: DialogueContext } | null
  return lost.value === RESUME && inner ? inner : lost
}

/** What was remembered, with what is known afresh: the dial, the line, the page. */
function takenUp(context: DialogueContext, lost: { context: object }): DialogueContext {
  const { answers, chosen, data, vars, trail } = lost.context as DialogueContext
  return left({
    ...context,
    answers,
    chosen,
    data,
    vars,
    ...(trail ? { trail } : {}),
    via: '',
    failed: false,
    resume: null,
  })
}

/** What was narrowed to, and the page that was shown: until another screen is come to. */
function pageOf({ find, shown }: DialogueContext): Partial<DialogueContext> {
  return { ...(find ? { find } : {}), ...(shown ? { again: shown.at } : {}) }
}

function languageOf(context: DialogueContext, env: Env): string {
  const spoken = String(context.resume?.context.language ?? '')
  return env.languages.includes(spoken) ? spoken : context.language
}
