/** A simulated handset: what it dials and shows, and the SMS that it gets. */
export { phone, PhoneError, type Phone } from './phone.ts'
