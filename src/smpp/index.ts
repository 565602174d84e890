/** What the SMPP rooms exchange with the rest: decoded PDUs, links, lines. */
export type {
  BindDown,
  BindRow,
  Dialect,
  Incoming,
  Line,
  LineLoad,
  LinkPort,
  OutgoingPdu,
  Pdu,
  PduBody,
  Leaving,
  MayLeave,
  OutageTold,
  SubmitOptions,
  SubmitOutcome,
  Tlv,
} from './types.ts'
