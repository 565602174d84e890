/** What is remembered for a time and within a limit: computed values, and what comes and goes with turns. */
export { RecentMap } from './recent-map.ts'
export { LastFew, oncePer, remembered } from './remembered.ts'
export { TurnoverMap } from './turnover-map.ts'
