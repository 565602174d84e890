/** Imports a journey of ussd-engine as a flow file. */
export { importJourney, reportOf } from './import.ts'
