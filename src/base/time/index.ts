/** Clocks and dates: the time of day, durations, standstills of this process, signals after so long. */
export { abortAfter, NEVER_ABORTED } from './abort-after.ts'
export {
  clockOf,
  type DateFormat,
  DAY_UNITS,
  dayLater,
  dayOf,
  type DayUnit,
  DEFAULT_DATE_FORMAT,
  isDayFormat,
  isZone,
  plainBlanks,
  showDate,
  showTime,
  tellsApart,
  timeOfDay,
  yearsBetween,
  isoOf,
  utcDayOf,
  isoIn,
  minutesAhead,
  luxonZone,
} from './dates.ts'
export { monotonicClock } from './monotonic-clock.ts'
export { createStillness, type Standstill, type Stillness } from './stillness.ts'
export { carriedTime, looseClock, systemChance, systemClock, type WallClock } from './wall-clock.ts'
