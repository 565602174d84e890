/** SMS that flows, back ends and applications ask for. */
export { createOwedSms, type OwedShelf, type OwedSms } from './owed.ts'
export {
  SMS_TOGETHER_MAX,
  type SmsAnswer,
  type SmsAsker,
  type SmsRequest,
  smsRequests,
  type SmsRequests,
  smsRequestSchema,
} from './requests.ts'
