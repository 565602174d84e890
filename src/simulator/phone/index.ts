/** A simulated handset: what it dials, what it shows, and the SMS that it gets. */
export { phone, PhoneError, type Phone } from './phone.ts'
