/** Checks that every name in a flow leads to something: screens, languages, zone, back ends, bounds. */
import type { Complain } from './check.ts'
import { compileCondition, Slip, expressionIn, isExpression } from '../expression/index.ts'
import {
  abandonedCall,
  kindOf,
  targetsOf,
  type FlowDefinition,
  SUBSCRIBER,
  SMS,
  SMS_LEFT,
  pointing,
  usesOf,
} from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'
import { DEFAULT_DATE_FORMAT, isZone, remedyAmong, tellsApart } from '../../base/index.ts'

export function checkNames(read: ReadFlow, backends: readonly string[] | undefined, complain: Complain): void {
  checkScreens(read, complain)
  checkLanguages(read, complain)
  checkBackends(read, backends, complain)
  const { definition, at } = read
  if (!isZone(definition.zone)) {
    complain('error', {
      where: at(['zone']),
      what: `'${definition.zone}' is not a time zone`,
      remedy: 'use an IANA name such as Pacific/Port_Moresby',
    })
  }
  for (const { screen, place, condition } of usesOf(definition).conditions) {
    const slip = compileCondition(condition)
    if (!(slip instanceof Slip)) continue
    complain('error', { ...pointing(at, [...place, ...slip.within], slip.source, slip.at), ...saidOf(screen, slip) })
  }
  for (const { screen, place, value } of usesOf(definition).values) {
    if (place.at(-1) === 'language' && place.at(-2) === 'set')
      checkSpoken(screen, { value, where: at(place), definition }, complain)
    const slip = isExpression(value) ? expressionIn(value) : undefined
    if (slip instanceof Slip)
      complain('error', { ...pointing(at, place, value as string, slip.at), ...saidOf(screen, slip) })
  }
  for (const [name, screen] of Object.entries(definition.screens)) {
    for (const { path, what, remedy } of kindOf(screen).slips?.(screen, definition.zone) ?? [])
      complain('error', {
        where: at(['screens', name, ...path]),
        what: `screen '${name}'${what}`,
        ...(remedy === undefined ? {} : { remedy }),
      })
  }
}

/** Checks a language that is written out. Setting a language that the flow does not have would change nothing. */
function checkSpoken(
  screen: string,
  { value, where, definition }: { value: unknown; where: string; definition: FlowDefinition },
  complain: Complain,
): void {
  if (typeof value !== 'string' || value.includes('{') || isExpression(value) || definition.languages.includes(value))
    return
  const what = `screen '${screen}': '${value}' is not one of the flow's languages`
  complain('error', { where, what, remedy: remedyAmong(value, definition.languages) })
}

function saidOf(screen: string, { what, remedy }: Slip): { what: string; remedy?: string } {
  return { what: `screen '${screen}': ${what}`, ...(remedy === undefined ? {} : { remedy }) }
}

function checkScreens({ definition, at }: ReadFlow, complain: Complain): void {
  const names = Object.keys(definition.screens)
  for (const key of ['start', 'home'] as const) {
    const named = definition[key]
    if (named === undefined || names.includes(named)) continue
    const what = `${key === 'start' ? 'the flow starts with' : 'home leads to'} '${named}', but there is no such screen`
    complain('error', { where: at([key]), what, remedy: remedyAmong(named, names) })
  }
  for (const [name, screen] of Object.entries(definition.screens)) {
    for (const { to, path } of targetsOf(screen)) {
      if (Object.hasOwn(definition.screens, to)) continue
      const what = `screen '${name}' goes to '${to}', but there is no such screen`
      complain('error', { where: at(['screens', name, ...path]), what, remedy: remedyAmong(to, names) })
    }
  }
}

function checkLanguages({ definition, at, catalogues }: ReadFlow, complain: Complain): void {
  const { languages } = definition
  const unknown = (language: string, where: string) => {
    if (languages.includes(language)) return
    complain('error', {
      where,
      what: `'${language}' is not one of the flow's languages`,
      remedy: remedyAmong(language, languages),
    })
  }
  for (const [language, format] of Object.entries(definition.formats)) {
    unknown(language, at(['formats', language]))
    for (const key of (['date', 'time', 'timeMinutes'] as const).filter(
      (one) => format[one] !== undefined && !tellsApart(one, format[one]),
    )) {
      const what = `'${format[key]}' does not show ${key === 'date' ? 'both day and month' : 'the hour'}`
      complain('error', {
        where: at(['formats', language, key]),
        what,
        remedy: `use a pattern such as ${DEFAULT_DATE_FORMAT[key]}`,
      })
    }
  }
  for (const language of Object.keys(definition.texts)) unknown(language, at(['texts', language]))
  for (const [language, { file, catalogue }] of catalogues) {
    unknown(language, `${file}:1:1`)
    if (language === languages[0]) {
      complain('error', {
        where: `${file}:1:1`,
        what: `the flow itself is written in '${language}'`,
        remedy: 'change the texts in the flow file',
      })
    }
    if (catalogue.review)
      complain('warning', {
        rule: 'review',
        where: `${file}:1:1`,
        what: `review of '${language}': ${catalogue.review}`,
      })
  }
}

const SMS_REMEDY = 'give a line the setting sms: { source: … }'

function checkBackends(
  { definition, at }: ReadFlow,
  backends: readonly string[] | undefined,
  complain: Complain,
): void {
  if (!backends) return
  for (const [name, screen] of Object.entries(definition.screens)) {
    if (abandonedCall(screen) && !backends.includes(SMS_LEFT)) {
      const isSent = backends.includes(SMS)
      complain('error', {
        where: at(['screens', name, 'abandoned']),
        what: isSent
          ? `screen '${name}' has abandoned, but this daemon writes no records of dialogues into Postgres, which tell it who left`
          : `screen '${name}' sends an SMS, but no line of this daemon can send SMS`,
        remedy: isSent ? 'set records.to: postgres' : SMS_REMEDY,
      })
    }
    if (!('call' in screen)) continue
    const backend = screen.call.split('.')[0] as string
    if (backend === SUBSCRIBER || backends.includes(backend)) continue
    if (backend === SMS) {
      complain('error', {
        where: at(['screens', name]),
        what: `screen '${name}' sends an SMS, but no line of this daemon can send SMS`,
        remedy: SMS_REMEDY,
      })
      continue
    }
    const what = `screen '${name}' calls back end '${backend}', but this daemon has no such back end`
    complain('error', { where: at(['screens', name, 'call']), what, remedy: remedyAmong(backend, backends) })
  }
}
