/**
 * Which role each request of the admin server needs: one table. A route that is not in it is closed. A token has the
 * roles of its line in admin.tokensFile, and none of them brings another one along.
 */

/** What each role is for, as `ussd-connector token` and refusals say it. */
export const ROLES = {
  read: 'see lines, flows, alarms, daemons and metrics, and no number of a subscriber',
  support: 'look up one subscriber, with numbers, or erase him; end a dialogue, change an SMS that waits',
  operate: 'stop, start, hold and release lines, dial tests, reload the settings; silence alarms',
  publish: 'publish, try, roll back and recall flows',
  push: 'begin USSD on the handset of a subscriber',
  trace: 'take the PDUs of a line, masked; with support in clear',
  sms: 'ask for SMS, see and cancel its own',
} as const

export type AdminRole = keyof typeof ROLES

export const ROLE_NAMES = Object.keys(ROLES) as readonly AdminRole[]

const TABLE = {
  'GET /ready': ['read'],
  'GET /metrics': ['read'],
  'GET /v1/alarms': ['read'],
  'POST /v1/alarms/test': ['operate'],
  'POST /v1/alarms/silences': ['operate'],
  'DELETE /v1/alarms/silences/:id': ['operate'],
  'GET /v1/dialogues': ['support'],
  'DELETE /v1/dialogues/:group/:msisdn': ['support'],
  'GET /v1/flows': ['read'],
  'GET /v1/flows/:name/revisions': ['read'],
  'GET /v1/flows/:name/history': ['read'],
  'GET /v1/flows/:name/funnel': ['read'],
  'GET /v1/flows/:name/revisions/:revision': ['read'],
  'POST /v1/flows/:name/publish': ['publish'],
  'POST /v1/flows/:name/rollback': ['publish'],
  'POST /v1/flows/:name/canary': ['publish'],
  'POST /v1/flows/:name/recall': ['publish'],
  'GET /v1/instances': ['read'],
  'GET /v1/lines': ['read'],
  'GET /v1/lines/:line/events': ['read'],
  'GET /v1/lines/:line/trace': ['trace'],
  'POST /v1/lines/reload': ['operate'],
  'POST /v1/lines/:line/stop': ['operate'],
  'POST /v1/lines/:line/start': ['operate'],
  'POST /v1/lines/:line/hold': ['operate'],
  'POST /v1/lines/:line/release': ['operate'],
  'GET /v1/log': ['read'],
  'POST /v1/log': ['operate'],
  'DELETE /v1/log': ['operate'],
  'POST /v1/push': ['push'],
  'POST /v1/reload': ['operate'],
  'POST /v1/reload/check': ['operate'],
  'GET /v1/sms': ['sms', 'support'],
  'POST /v1/sms': ['sms'],
  'DELETE /v1/sms': ['sms'],
  'GET /v1/subscribers': ['support'],
  'GET /v1/subscribers/dialogues/:epoch': ['support'],
  'GET /v1/subscribers/hash': ['support'],
  'POST /v1/subscribers/erase': ['support'],
  'DELETE /v1/sms/:id': ['support'],
  'POST /v1/sms/:id/retry': ['support'],
  'POST /v1/sms/:id/replace': ['support'],
  'GET /v1/test-dials': ['read'],
  'POST /v1/test-dials': ['operate'],
  'GET /v1/openapi.json': ROLE_NAMES,
} as const satisfies Record<string, readonly AdminRole[]>

/** A method and a path, as the routes are registered. */
export type AdminRoute = keyof typeof TABLE

/** Several roles: any of them opens the route, and the route itself looks which one it is. */
export const ROUTE_ROLES: Readonly<Record<string, readonly AdminRole[]>> = TABLE

/** Of one request, by the routes that match it. Undefined: none of them is in the table. */
export function rolesFor(matched: readonly { method: string; path: string }[]): readonly AdminRole[] | undefined {
  for (const { method, path } of matched) {
    const roles = ROUTE_ROLES[`${method} ${path}`]
    if (roles) return roles
  }
  return undefined
}

/** What a token that lacks these roles is told: what it may, what it needs, and where that is written. */
export function lacks(has: readonly AdminRole[], needs: readonly AdminRole[]): { error: string; needs: string } {
  const [need] = [needs.join(' or ')]
  return {
    error: `this token has the role${has.length === 1 ? '' : 's'} ${has.join(', ')}, and this needs ${need} (its line in admin.tokensFile: ${[...has, needs[0]].join(',')}:…)`,
    needs: need,
  }
}
