/**
 * Faults that a designer of a money service can make: each is a small edit of the bank flow, of what its back end is
 * said to do, or of what a talk has it answer. Each must be found, by what the row says, with these words.
 */

type FileOfBank = 'bank.yaml' | 'backends/bank.yaml' | 'bank.talk'

export interface PlantedFault {
  /** What the designer did wrong. */
  name: string
  /** What finds it: the reading of the files (`check`), the walk (`explore`), or a talk that goes another way (`talk`). */
  by: 'check' | 'explore' | 'talk'
  says: RegExp
  /** What is replaced with what. Each text stands in its file once. */
  edits: readonly (readonly [file: FileOfBank, was: string, put: string])[]
}

const inFlow = (was: string, put: string) => ['bank.yaml', was, put] as const
const inBackend = (was: string, put: string) => ['backends/bank.yaml', was, put] as const
const inTalk = (was: string, put: string) => ['bank.talk', was, put] as const

const AMOUNT = 'number: { min: 1, max: 2000, decimals: 2 }'
const PAYS =
  "with: { receiver: '{answers.receiver}', amount: '{answers.amount}', fee: '{data.quote.fee}' }\n    once: true"
const CHOICES = 'choices: [{ label: { en: Try again, tpi: Traim gen }, to: sure }]'

/** Money moves that must not, or is not known to have moved. */
const MONEY: readonly PlantedFault[] = [
  {
    name: 'neither the back end nor the call says that a transfer changes something',
    by: 'check',
    says: /screen 'pay' calls bank\.transfer, and nothing says whether that reads or changes something/,
    edits: [
      inFlow(PAYS, PAYS.replace('\n    once: true', '')),
      inBackend('  transfer:\n    does: changes', '  transfer:'),
    ],
  },
  {
    name: 'the back end is not described, and a read says nothing',
    by: 'check',
    says: /screen 'balance' calls bank\.balance, and nothing says whether that reads or changes something/,
    edits: [inBackend('  balance:\n    does: reads', '  balance:')],
  },
  {
    name: 'the call says that it changes nothing, but the back end says that it does',
    by: 'check',
    says: /screen 'pay' says once: false, but backends\/bank\.yaml says that bank\.transfer changes something/,
    edits: [inFlow(PAYS, PAYS.replace('once: true', 'once: false'))],
  },
  {
    name: 'an unmarked change behind two dialled answers',
    by: 'check',
    says: /\*123\*4\*1# makes it/,
    edits: [
      inFlow('    search: [name, town]\n    to: found', '    search: [name, town]\n    to: prefer'),
      inFlow(
        '  found:\n    notify',
        "  prefer: { call: bank.prefer, with: { id: '{chosen.branch.name}' }, to: found }\n  found:\n    notify",
      ),
    ],
  },
  {
    name: 'an amount without a lower bound is sent',
    by: 'check',
    says: /screen 'pay' sends 'answers\.amount' to bank\.transfer, which changes something, but it may be negative/,
    edits: [inFlow(AMOUNT, 'number: { max: 2000, decimals: 2 }\n    keys: false')],
  },
  {
    name: 'the lower bound of an amount is negative',
    by: 'check',
    says: /screen 'pay' sends 'answers\.amount' to bank\.transfer, which changes something, but it may be negative/,
    edits: [inFlow(AMOUNT, 'number: { min: -1, max: 2000, decimals: 2 }\n    keys: false')],
  },
  {
    name: 'the fee is taken off the amount, which may leave less than nothing',
    by: 'check',
    says: /sends 'answers\.amount - data\.quote\.fee' to bank\.transfer, which changes something, but it may be negative/,
    edits: [inFlow(PAYS, PAYS.replace("amount: '{answers.amount}'", "amount: '= answers.amount - data.quote.fee'"))],
  },
  {
    name: 'an amount without a lower bound goes through a variable',
    by: 'check',
    says: /sends 'vars\.sum' to bank\.transfer, which changes something, but it may be negative/,
    edits: [
      inFlow(AMOUNT, 'number: { max: 2000 }\n    keys: false'),
      inFlow('set: { next: pay }', "set: { next: pay, sum: '{answers.amount}' }"),
      inFlow(PAYS, PAYS.replace("amount: '{answers.amount}'", "amount: '{vars.sum}'")),
    ],
  },
  {
    name: 'after an unknown outcome the money is sent again',
    by: 'check',
    says: /'pay' may have been done when it fails, but the way over 'oops' leads to it again, and no call asks before/,
    edits: [
      inFlow('failed: ask-state', 'failed: oops'),
      inFlow(
        '  poor: {',
        '  oops: { menu: { en: That failed., tpi: Nogat. }, choices: [{ label: { en: Again, tpi: Gen }, to: sure }] }\n  poor: {',
      ),
    ],
  },
  {
    name: 'after an unknown outcome the call is made again at once',
    by: 'check',
    says: /'pay' may have been done when it fails, but the way over 'quote' leads to it again/,
    edits: [inFlow('failed: ask-state', 'failed: quote')],
  },
  {
    name: 'the status call leads to the same transfer again when it fails itself',
    by: 'check',
    says: /'pay' may have been done when it fails, but the way over 'ask-state', which may fail, leads to it again/,
    edits: [inFlow('failed: unknown', 'failed: undone')],
  },
  {
    name: 'the outcome of a change is settled by a call that is none',
    by: 'check',
    says: /screen 'pay' is settled by 'unknown', which is not a call that reads/,
    edits: [inFlow('failed: ask-state', 'settle: unknown')],
  },
  {
    name: 'the back end says what settles a transfer, but the flow never asks it',
    by: 'check',
    says: /bank\.transfer-state settles bank\.transfer, but 'pay' does not lead to it when it fails/,
    edits: [inFlow('failed: ask-state', 'failed: unknown')],
  },
  {
    name: 'a PIN is not marked as a secret',
    by: 'check',
    says: /screen 'pin' asks for a PIN, but does not say secret/,
    edits: [inFlow('secret: true, to: verify', 'to: verify')],
  },
  {
    name: 'a PIN in another language is not marked as a secret',
    by: 'check',
    says: /screen 'amount' asks for a PIN, but does not say secret/,
    edits: [inFlow("tpi: 'Hamas (1-2000):' }", "tpi: 'Namba hait bilong yu:' }"), inFlow(AMOUNT, "pattern: '\\d{4}'")],
  },
  {
    name: 'a PIN is shown again',
    by: 'check',
    says: /reads 'answers\.pin', which is secret/,
    edits: [inFlow("en: 'Balance on {data", "en: '{answers.pin} Balance on {data")],
  },
  {
    name: 'a PIN is asked for, and nothing checks it',
    by: 'check',
    says: /asks for a secret, but no call after it checks it/,
    edits: [inFlow('secret: true, to: verify', 'secret: true, to: route')],
  },
  {
    name: 'a transfer is made on the key that leads home',
    by: 'check',
    says: /the key 00 leads to 'pay', which changes something without a question/,
    edits: [inFlow('start: customer', 'start: pay')],
  },
]

/** What the flow and its back end do not agree on. */
const BACKEND: readonly PlantedFault[] = [
  {
    name: 'an operation that the back end does not have',
    by: 'check',
    says: /screen 'pay' calls bank\.tranfer, but bank has no such operation.* \(did you mean 'transfer'/,
    edits: [inFlow('call: bank.transfer\n', 'call: bank.tranfer\n')],
  },
  {
    name: 'a refusal that the back end does not have',
    by: 'check',
    says: /screen 'pay': bank\.transfer never refuses with 'insuficient' .*\(did you mean 'insufficient'/,
    edits: [inFlow('refused: { insufficient: poor }', 'refused: { insuficient: poor }')],
  },
  {
    name: 'a refusal of the back end leads nowhere',
    by: 'check',
    says: /screen 'quote': bank\.quote may refuse with 'insufficient', which leads nowhere/,
    edits: [
      inFlow(
        '\n      insufficient: { to: amount, notice: { en: You do not have so much., tpi: Yu no gat inap mani. } }',
        '',
      ),
    ],
  },
  {
    name: 'a field that the back end does not answer',
    by: 'check',
    says: /screen 'shown': bank\.balance does not answer with 'amonut'/,
    edits: [
      inFlow(
        "en: 'Balance on {data.balance.at, date}: K{data.balance.amount,",
        "en: 'Balance on {data.balance.at, date}: K{data.balance.amonut,",
      ),
    ],
  },
  {
    name: 'the flow expects a number where the back end answers with a text',
    by: 'check',
    says: /screen 'quote' expects 'fee' to be a number, but bank\.quote answers with a text/,
    edits: [inBackend('fee: { is: number, min: 0, max: 20 }', 'fee: { is: text, max: 20 }')],
  },
  {
    name: 'the flow expects a field that the back end does not answer',
    by: 'check',
    says: /screen 'quote' expects 'holder', but bank\.quote does not answer with it/,
    edits: [inBackend('holder: { is: text, max: 20, letters: gsm }, ', '')],
  },
  {
    name: 'a refusal without the data that the flow shows',
    by: 'check',
    says: /screen 'verify' expects 'left' of the refusal 'wrong', but bank\.verify does not answer with it/,
    edits: [inBackend('wrong: { left: { is: number, min: 0, max: 9 } }', 'wrong: {}')],
  },
  {
    name: 'the back end answers with a balance as a text',
    by: 'talk',
    says: /Balance on 10 May/,
    edits: [inTalk('"amount": 120.5,', '"amount": "120.5",')],
  },
  {
    name: 'the back end leaves a field out',
    by: 'talk',
    says: /Send K100\.00 to John Toua/,
    edits: [inTalk('{"holder": "John Toua", "fee": 2}', '{"holder": "John Toua"}')],
  },
  {
    name: 'a talk has the back end refuse with a name that it does not have',
    by: 'talk',
    says: /bank\.verify never refuses with 'wrongg'/,
    edits: [inTalk('refuse bank.verify wrong', 'refuse bank.verify wrongg')],
  },
  {
    name: 'the wrong argument is sent',
    by: 'talk',
    says: /bank\.transfer was called with other arguments/,
    edits: [inFlow(PAYS, PAYS.replace("fee: '{data.quote.fee}'", "fee: '{answers.amount}'"))],
  },
  {
    name: 'two calls keep answers of different types under one name',
    by: 'check',
    says: /'data\.quote\.fee' is a number on screen 'quote', but a text on screen 'ask-state'/,
    edits: [
      inFlow(
        '    call: bank.transfer-state\n    expect: {',
        '    call: bank.transfer-state\n    as: quote\n    expect: { fee: { is: text, max: 9 },',
      ),
      inFlow('data.ask-state.state', 'data.quote.state'),
    ],
  },
]

/** Values that cannot be computed, compared or shown. */
const VALUES: readonly PlantedFault[] = [
  {
    name: 'a misspelt field in a sum',
    by: 'check',
    says: /'data\.statement\.rows' has no field 'amuont' .*\(did you mean 'amount'/,
    edits: [
      inFlow('total: "= sum(data.statement.rows, \'amount\')"', 'total: "= sum(data.statement.rows, \'amuont\')"'),
    ],
  },
  {
    name: 'a misspelt field in a join',
    by: 'check',
    says: /'data\.statement\.rows' has no field 'waht' .*\(did you mean 'what'/,
    edits: [inFlow("= join(data.statement.rows, 'what', ', ')", "= join(data.statement.rows, 'waht', ', ')")],
  },
  {
    name: 'a misspelt field in the text of a row',
    by: 'check',
    says: /(did you mean|has no field) '?amount|'ammount'/,
    edits: [inFlow("row: '{row.what} {row.amount, number, money}'", "row: '{row.what} {row.ammount, number, money}'")],
  },
  {
    name: 'a moment is compared with a time of day',
    by: 'check',
    says: /compares 'now', a moment, with '18:00'/,
    edits: [inFlow('- { if: vars.next == balance, to: balance }', '- { if: "now >= \'18:00\'", to: balance }')],
  },
  {
    name: 'a moment of a back end is compared with a time of day',
    by: 'check',
    says: /compares 'data\.balance\.at', a moment, with '18:00'/,
    edits: [
      inFlow('max: 24 } }\n    to: shown', 'max: 24 } }\n    to: shut'),
      inFlow(
        '  shown: {',
        '  shut: { branch: [{ if: "data.balance.at >= \'18:00\'", to: nothing }], else: shown }\n  shown: {',
      ),
    ],
  },
  {
    name: 'a share of nothing: a division by a number that may be zero',
    by: 'explore',
    says: /division by zero/,
    edits: [
      inFlow('fee: { is: number, max: 20 } }\n    to: sure', 'fee: { is: number, max: 20 } }\n    to: rate'),
      inFlow('  sure:\n', "  rate: { set: { rate: '= answers.amount / data.quote.fee' }, to: sure }\n  sure:\n"),
    ],
  },
  {
    name: 'a division by zero among many settings',
    by: 'check',
    says: /screen 'rate': 'data\.quote\.fee' may be zero, and is divided by/,
    edits: [
      inFlow('fee: { is: number, max: 20 } }\n    to: sure', 'fee: { is: number, max: 20 } }\n    to: rate'),
      inFlow(
        '  sure:\n',
        `  rate:\n    set:\n      rate: '= answers.amount / data.quote.fee'\n${manySettings(40)}    to: sure\n  sure:\n`,
      ),
    ],
  },
  {
    name: 'a division by a difference that may be zero',
    by: 'check',
    says: /screen 'rate': 'answers\.amount - data\.quote\.fee' may be zero, and is divided by/,
    edits: [
      inFlow('fee: { is: number, max: 20 } }\n    to: sure', 'fee: { is: number, max: 20 } }\n    to: rate'),
      inFlow(
        '  sure:\n',
        "  rate: { set: { rate: '= 100 / (answers.amount - data.quote.fee)' }, to: sure }\n  sure:\n",
      ),
    ],
  },
  {
    name: 'a condition that is never true by the bounds of an answer, to a screen that others lead to',
    by: 'check',
    says: /screen 'limit': 'answers\.amount > 5000' is never true/,
    edits: [
      inFlow('Wanpela namba long 1 inap 2000. }\n    to: quote', 'Wanpela namba long 1 inap 2000. }\n    to: limit'),
      inFlow('  quote:\n', '  limit: { branch: [{ if: answers.amount > 5000, to: poor }], else: quote }\n  quote:\n'),
    ],
  },
  {
    name: 'a condition that is always true by the bounds of an answer',
    by: 'check',
    says: /screen 'limit': 'answers\.amount >= 1' is always true/,
    edits: [
      inFlow('Wanpela namba long 1 inap 2000. }\n    to: quote', 'Wanpela namba long 1 inap 2000. }\n    to: limit'),
      inFlow('  quote:\n', '  limit: { branch: [{ if: answers.amount >= 1, to: quote }], else: poor }\n  quote:\n'),
    ],
  },
  {
    name: 'a condition that is never true by the bounds of an answer of the back end',
    by: 'check',
    says: /'data\.balance\.amount > 2000000' is never true/,
    edits: [
      inFlow('max: 24 } }\n    to: shown', 'max: 24 } }\n    to: rich'),
      inFlow(
        '  shown: {',
        '  rich: { branch: [{ if: data.balance.amount > 2000000, to: nothing }], else: shown }\n  shown: {',
      ),
    ],
  },
  {
    name: 'a choice whose condition is never true',
    by: 'check',
    says: /'data\.quote\.fee > 50' is never true/,
    edits: [inFlow('tpi: Salim }, set: { next: pay }', 'tpi: Salim }, when: data.quote.fee > 50, set: { next: pay }')],
  },
  {
    name: 'a number is compared with a word',
    by: 'check',
    says: /compares 'answers\.amount', a number, with "much"/,
    edits: [inFlow('- { if: vars.next == balance, to: balance }', '- { if: answers.amount == much, to: balance }')],
  },
  {
    name: 'a text is added',
    by: 'check',
    says: /'data\.customer\.name' is a text, but a number is needed/,
    edits: [inFlow('set: { next: pay }', "set: { next: pay, all: '= answers.amount + data.customer.name' }")],
  },
  {
    name: 'a text is shown as a number',
    by: 'check',
    says: /shows 'data\.quote\.holder' as a number/,
    edits: [
      inFlow(
        "en: 'Send K{answers.amount, number, money} to {data.quote.holder}?",
        "en: 'Send K{answers.amount, number, money} to {data.quote.holder, number}?",
      ),
    ],
  },
  {
    name: 'a misspelt answer',
    by: 'check',
    says: /nothing sets 'answers\.amuont'/,
    edits: [inFlow("en: 'You sent K{answers.amount,", "en: 'You sent K{answers.amuont,")],
  },
  {
    name: 'a value that some ways do not set',
    by: 'check',
    says: /reads 'answers\.amount', but some ways to this screen do not set it/,
    edits: [inFlow("en: 'Balance on {data", "en: '{answers.amount} Balance on {data")],
  },
  {
    name: 'a word that an answer can never be',
    by: 'check',
    says: /'language' can never be 'eng'/,
    edits: [inFlow('- { if: vars.next == balance, to: balance }', '- { if: language == eng, to: balance }')],
  },
]

/** What does not fit on a page, in an SMS, or in a language; and rows that nobody sees. */
const SHOWN: readonly PlantedFault[] = [
  {
    name: 'more rows than are ever shown, with a search',
    by: 'check',
    says: /screen 'branch': of up to 1200 rows only the first 1000 are kept/,
    edits: [
      inFlow(
        'rows: { is: rows, max: 200, fields: { name: 20, town: 16 } }',
        'rows: { is: rows, max: 1200, fields: { name: 20, town: 16 } }',
      ),
    ],
  },
  {
    name: 'more rows than are ever shown, without a search',
    by: 'check',
    says: /screen 'branch': of up to 200 rows only the first 100 are kept/,
    edits: [inFlow('    search: [name, town]\n', '')],
  },
  {
    name: 'letters that GSM lacks make an SMS longer',
    by: 'check',
    says: /screen 'tell' in 'en' sends 2 SMS .*, if a value has letters that GSM 7-bit lacks/,
    edits: [inBackend('reference: { is: text, max: 12, letters: gsm }', 'reference: { is: text, max: 12 }')],
  },
  {
    name: 'letters that GSM lacks push a notification off its page',
    by: 'check',
    says: /screen 'found' .*if a value has letters that GSM 7-bit lacks/,
    edits: [
      inBackend('max: 200, letters: gsm, fields', 'max: 200, fields'),
      inFlow(
        "opens on {chosen.branch.opens, date}.', tpi",
        "opens on {chosen.branch.opens, date}. Please bring your card and a photo.', tpi",
      ),
    ],
  },
  {
    name: 'a letter that GSM lacks in a text',
    by: 'check',
    says: /GSM 7-bit lacks ê/,
    edits: [inFlow('There are no transactions.', 'There are no transactions ê.')],
  },
  {
    name: 'a text without a translation',
    by: 'check',
    says: /no text in 'tpi'/,
    edits: [inFlow('{ en: Nothing was sent., tpi: Mani i no go. }', '{ en: Nothing was sent. }')],
  },
  {
    name: 'a translation that leaves a value out',
    by: 'check',
    says: /the text in 'tpi' does not show data\.pay\.reference/,
    edits: [inFlow('Salim pinis. Namba {data.pay.reference}.', 'Salim pinis.')],
  },
  {
    name: 'a prompt longer than a page',
    by: 'check',
    says: /longer than a page/,
    edits: [inFlow("en: 'Amount (1-2000):'", `en: 'Amount (1-2000):${' Please think about it.'.repeat(8)}'`)],
  },
  {
    name: 'an SMS of two parts for long names',
    by: 'check',
    says: /screen 'tell' in 'en' sends 2 SMS for one text/,
    edits: [inFlow("Thank you.'\n      tpi", `Thank you.${' Thank you again.'.repeat(6)}'\n      tpi`)],
  },
  {
    name: 'two choices that read the same',
    by: 'explore',
    says: /two lines both read 'Balance'/,
    edits: [inFlow('label: { en: Statement, tpi', 'label: { en: Balance, tpi')],
  },
  {
    name: 'a bound quoted in a text that the input does not have',
    by: 'check',
    says: /shows 'answers\.receiver\.max', but the input has no such bound/,
    edits: [inFlow("en: 'Amount (1-2000):'", "en: 'Amount (1-{answers.receiver.max}):'")],
  },
  {
    name: 'the prompt quotes another bound than the input has',
    by: 'check',
    says: /screen 'amount': the prompt says 5000, but the largest answer is 2000/,
    edits: [inFlow("en: 'Amount (1-2000):'", "en: 'Amount (1-5000):'")],
  },
  {
    name: 'a number is printed in a prompt that its rules refuse',
    by: 'check',
    says: /prints '0\.' in its text, but its rules refuse that answer/,
    edits: [inFlow("en: 'Account number (8 digits):'", 'en: "Account number (8 digits):\\n0. Cancel"')],
  },
]

/** Ways that lead nowhere, in circles, or where nobody comes. */
const WAYS: readonly PlantedFault[] = [
  {
    name: 'a screen that does not exist',
    by: 'check',
    says: /goes to 'amonut', but there is no such screen/,
    edits: [inFlow('akaun i gat 8-pela dijit. }\n    to: amount', 'akaun i gat 8-pela dijit. }\n    to: amonut')],
  },
  {
    name: 'a screen that nothing leads to',
    by: 'check',
    says: /no screen leads to screen 'undone'/,
    edits: [inFlow('else: undone }', 'else: unknown }')],
  },
  {
    name: 'a menu without an end',
    by: 'check',
    says: /has no way out/,
    edits: [inFlow(CHOICES, 'choices: [{ label: { en: Try again, tpi: Traim gen }, to: undone }]\n    keys: false')],
  },
  {
    name: 'a circle without a question',
    by: 'check',
    says: /leads in a circle that asks nothing/,
    edits: [inFlow('else: undone }', 'else: ask-state }')],
  },
  {
    name: 'a list without rows has no key',
    by: 'check',
    says: /gives the subscriber no key to press if there are no rows|synthetic answers do not reach|no key leads on/,
    edits: [
      inFlow(
        '    search: [name, town]\n    to: found\n    empty: none',
        '    search: [name, town]\n    to: found\n    keys: false',
      ),
      inFlow('  none: { end: { en: There is no branch near you., tpi: I no gat opis klostu long yu. } }\n', ''),
    ],
  },
  {
    name: 'the transfer leads to the balance: the wrong screen',
    by: 'talk',
    says: /Sent\. Reference T77/,
    edits: [inFlow("{data.pay.reference}.'\n    to: sent", "{data.pay.reference}.'\n    to: balance")],
  },
  {
    name: 'two choices are exchanged',
    by: 'talk',
    says: /Balance on 10 May/,
    edits: [
      inFlow('Mani i stap }, set: { next: balance }', 'Mani i stap }, set: { next: statement }'),
      inFlow('tpi: Ripot }, set: { next: statement }', 'tpi: Ripot }, set: { next: balance }'),
    ],
  },
  {
    name: 'the text of a refusal is that of another',
    by: 'talk',
    says: /Wrong PIN\. Tries left: 2\./,
    edits: [
      inFlow(
        "en: 'Wrong PIN. Tries left: {data.verify.left, number}.'",
        "en: 'Wrong PIN. Tries: {data.verify.left, number}.'",
      ),
    ],
  },
  {
    name: 'a key for Back that is also an answer',
    by: 'check',
    says: /the key 0 goes back or home, so nobody can answer 0/,
    edits: [inFlow(AMOUNT, 'number: { min: 0, max: 2000, decimals: 2 }')],
  },
  {
    name: 'bounds that no answer meets',
    by: 'check',
    says: /no value lies between 3000 and 2000/,
    edits: [inFlow(AMOUNT, 'number: { min: 3000, max: 2000, decimals: 2 }')],
  },
  {
    name: 'a pattern that cannot be read',
    by: 'check',
    says: /the pattern/,
    edits: [inFlow("pattern: '\\d{8}'", "pattern: '(\\d{8}'")],
  },
  {
    name: 'a misspelt key',
    by: 'check',
    says: /unknown key 'onec'/,
    edits: [inFlow(PAYS, PAYS.replace('once', 'onec'))],
  },
  {
    name: 'an accepted warning that is none any more',
    by: 'check',
    says: /accepts 'unreached' of screen 'pay', but there is no such warning/,
    edits: [
      inFlow(
        '\nscreens:\n',
        '\naccepts:\n  - { warning: unreached, screen: pay, because: a talk walks it }\n\nscreens:\n',
      ),
    ],
  },
]

export const PLANTED_FAULTS: readonly PlantedFault[] = [...MONEY, ...BACKEND, ...VALUES, ...SHOWN, ...WAYS]

/** Settings that nobody divides by. */
function manySettings(n: number): string {
  return Array.from({ length: n }, (_, i) => `      set${i}: '= data.quote.fee + ${i}'\n`).join('')
}
