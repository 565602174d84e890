/** Reports the keys of a journey that nothing reads, with their lines, so that nothing is lost silently. */
import { listOf, remark, type Carrying } from './carrying.ts'
import type { JourneyScreen, JourneyNode } from './journey.ts'

const ANY = ['type', 'inherit']
const ROUTED = ['next_screen', 'default_next_screen']
const LOOP = ['with_items', 'with_dict']
/** The keys that screens of each type have, and that are imported. */
const KEYS: Record<string, readonly string[]> = {
  initial_screen: [
    'next_screen',
    'default_language',
    'variables',
    'create_ussd_variables',
    'pagination_config',
    'ussd_report_session',
    'ussd_text_limit',
  ],
  input_screen: [...ROUTED, 'text', 'input_identifier', 'validators', 'options'],
  menu_screen: ['text', 'options', 'items', 'error_message'],
  quit_screen: ['text'],
  http_screen: [...ROUTED, 'http_request', 'session_key', 'synchronous'],
  router_screen: [...ROUTED, ...LOOP, 'router_options'],
  update_session_screen: [...ROUTED, ...LOOP, 'values_to_update'],
  function_screen: [...ROUTED, 'function', 'session_key'],
  custom_screen: ['screen_obj', 'serializer', 'next_screen', 'input_identifier', 'text'],
}
const OPTION = ['text', 'next_screen', 'default_next_screen', 'input_value', 'input_display']
const INNER: Record<string, readonly string[]> = {
  options: OPTION,
  items: ['text', 'value', 'session_key', 'next_screen', ...LOOP],
  validators: ['regex', 'expression', 'text', 'error_message'],
  router_options: ['expression', 'next_screen'],
  values_to_update: ['key', 'value', 'expression'],
  http_request: [
    'method',
    'url',
    'params',
    'data',
    'json',
    'headers',
    'auth',
    'verify',
    'cert',
    'cookies',
    'proxies',
    'timeout',
  ],
  pagination_config: ['ussd_text_limit', 'more_option', 'back_option'],
}

export function tellUnread(carrying: Carrying): void {
  const { settings, screens } = carrying.journey
  for (const screen of [...(settings ? [settings] : []), ...screens.values()]) {
    const known = KEYS[screen.name === 'initial_screen' ? 'initial_screen' : screen.type]
    if (!known) continue
    for (const key of Object.keys(screen.written)) {
      const of = `of the screen '${screen.name}'`
      if (!known.includes(key) && !ANY.includes(key)) tell(carrying, screen, key, `'${key}' ${of}`)
      for (const inner of innerKeys(screen.written, key)) tell(carrying, screen, key, `'${inner}' under ${key} ${of}`)
    }
  }
}

function innerKeys(written: JourneyNode, key: string): string[] {
  const known = INNER[key]
  const value = written[key]
  const blocks = Array.isArray(value) ? listOf(value) : [value]
  const found = blocks.flatMap((block) =>
    known && block !== null && typeof block === 'object' ? Object.keys(block) : [],
  )
  return [...new Set(found)].filter((inner) => !known!.includes(inner))
}

function tell(carrying: Carrying, screen: JourneyScreen, key: string, what: string): void {
  const remedy = 'flows have nothing for it; check whether you need it'
  remark(carrying, screen, key, { what: `${what} was not imported`, remedy, lost: true })
}
