/** The offer to resume a dialogue that was lost. */
import { RESUME, type DialogueContext } from '../../../machines/dialogue.ts'
import { offering } from './offer.ts'
import { GOODBYE, left, type Env, type Plan } from './plan.ts'

/**
 * `origins`: the screens where a dialogue may resume; `start`: the main menu; `confirms`: the screens that are not
 * resumed themselves.
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
              choose: (chosen: DialogueContext) => ({ ...chosen, resume: null }),
            },
          ],
        }
      },
      (context) => ({ ...context, dialled: [], language: languageOf(context, env) }),
    ),
  }
}

/** If a dialogue was lost on this offer, the dialogue that it offered. */
export function innermost(lost: { value: string; context: DialogueContext }): {
  value: string
  context: DialogueContext
} {
  const inner = lost.context.resume as { value: string; context: DialogueContext } | null
  return lost.value === RESUME && inner ? inner : lost
}

/** The stored values, together with the new dial, line and page. */
function takenUp(context: DialogueContext, lost: { context: object }): DialogueContext {
  const { answers, chosen, data, vars, trail, gate, homed } = lost.context as DialogueContext
  return left({
    ...context,
    answers,
    chosen,
    data,
    vars,
    ...(trail ? { trail } : {}),
    // Behind a PIN, the dialogue is resumed before the PIN.
    ...(homed && gate === undefined ? { homed } : {}),
    via: '',
    failed: false,
    resume: null,
  })
}

/** The search and the page that were shown. They hold until the dialogue reaches another screen. */
function pageOf({ find, shown }: DialogueContext): Partial<DialogueContext> {
  return { ...(find ? { find } : {}), ...(shown ? { again: shown.at } : {}) }
}

function languageOf(context: DialogueContext, env: Env): string {
  const spoken = String(context.resume?.context.language ?? '')
  return env.languages.includes(spoken) ? spoken : context.language
}
