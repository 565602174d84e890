/** The texts that every flow has without writing them. A flow may replace them with its own. */

export const BUILT_IN = {
  en: {
    busy: 'Service busy. Please try again later.',
    expired: 'Time is up. Please dial again.',
    overload: 'Too many people are dialling now. Please try again in a few minutes.',
    goodbye: 'Thank you. Goodbye.',
    holding: 'This takes a little longer. You will be told the answer.',
    invalid: 'Invalid choice. Please try again:',
    'invalid-short': 'Invalid choice.',
    wrong: 'Invalid answer. Please try again.',
    'no-match': 'Nothing found. Number or letters:',
    'no-number': 'No such number.',
    'show-all': 'Show all',
    more: 'More',
    back: 'Back',
    home: 'Home',
    resume: 'Welcome back.',
    continue: 'Continue where you stopped',
    'main-menu': 'Main menu',
  },
  tpi: {
    busy: 'Sevis i bisi. Plis traim gen bihain.',
    expired: 'Taim i pinis. Plis dailim gen.',
    overload: 'Planti manmeri i dailim nau. Plis traim gen bihain liklik.',
    goodbye: 'Tenkyu. Gutbai.',
    holding: 'Dispela i kisim taim liklik. Bai mipela tokim yu long bekim.',
    invalid: 'Namba i no stret. Plis traim gen:',
    'invalid-short': 'Namba i no stret.',
    wrong: 'Bekim i no stret. Plis traim gen.',
    'no-match': 'I no gat. Namba o leta:',
    'no-number': 'Namba i no stap.',
    'show-all': 'Soim olgeta',
    more: 'Moa',
    back: 'Go bek',
    home: 'Go long stat',
    resume: 'Welkam bek.',
    continue: 'Go het long hap yu stop long en',
    'main-menu': 'Nambawan menu',
  },
  // In letters that GSM 7-bit has, so that no page of a flow shrinks to 80 characters by them.
  fr: {
    busy: 'Service occupé. Réessayez plus tard.',
    expired: 'Temps écoulé. Recomposez le code.',
    overload: 'Trop de monde en ce moment. Réessayez dans quelques minutes.',
    goodbye: 'Merci. Au revoir.',
    holding: 'Cela prend un peu de temps. Vous recevrez la réponse.',
    invalid: 'Choix incorrect. Réessayez:',
    'invalid-short': 'Choix incorrect.',
    wrong: 'Réponse incorrecte. Réessayez.',
    'no-match': 'Rien trouvé. Numéro ou lettres:',
    'no-number': "Ce numéro n'existe pas.",
    'show-all': 'Tout afficher',
    more: 'Suite',
    back: 'Retour',
    home: 'Accueil',
    resume: 'Content de vous revoir.',
    continue: 'Reprendre là où vous étiez',
    'main-menu': 'Menu principal',
  },
  pt: {
    busy: 'Sistema ocupado. Tente mais tarde.',
    expired: 'O tempo acabou. Marque de novo.',
    overload: 'Muitas pessoas a marcar agora. Tente daqui a alguns minutos.',
    goodbye: 'Obrigado. Adeus.',
    holding: 'Isto demora um pouco. Vai receber a resposta.',
    invalid: 'Escolha errada. Tente de novo:',
    'invalid-short': 'Escolha errada.',
    wrong: 'Resposta errada. Tente de novo.',
    'no-match': 'Nada encontrado. Linha ou letras:',
    'no-number': 'Essa linha falta.',
    'show-all': 'Mostrar tudo',
    more: 'Mais',
    back: 'Voltar',
    home: 'Menu inicial',
    resume: 'Bem-vindo de volta.',
    continue: 'Continuar onde parou',
    'main-menu': 'Menu principal',
  },
  sw: {
    busy: 'Huduma ina shughuli nyingi. Tafadhali jaribu baadaye.',
    expired: 'Muda umeisha. Tafadhali piga tena.',
    overload: 'Watu wengi wanapiga sasa. Tafadhali jaribu tena baada ya dakika chache.',
    goodbye: 'Asante. Kwaheri.',
    holding: 'Hii itachukua muda kidogo. Utajulishwa jibu.',
    invalid: 'Chaguo si sahihi. Tafadhali jaribu tena:',
    'invalid-short': 'Chaguo si sahihi.',
    wrong: 'Jibu si sahihi. Tafadhali jaribu tena.',
    'no-match': 'Hakuna kilichopatikana. Namba au herufi:',
    'no-number': 'Namba hiyo haipo.',
    'show-all': 'Onyesha zote',
    more: 'Zaidi',
    back: 'Rudi',
    home: 'Mwanzo',
    resume: 'Karibu tena.',
    continue: 'Endelea ulipoishia',
    'main-menu': 'Menyu kuu',
  },
  ar: {
    busy: 'الخدمة مشغولة. يرجى المحاولة لاحقا.',
    expired: 'انتهى الوقت. يرجى الاتصال مرة أخرى.',
    overload: 'عدد المتصلين كبير الآن. يرجى المحاولة بعد بضع دقائق.',
    goodbye: 'شكرا لكم. مع السلامة.',
    holding: 'سيستغرق هذا بعض الوقت. سنبلغكم بالجواب.',
    invalid: 'اختيار غير صحيح. حاول مرة أخرى:',
    'invalid-short': 'اختيار غير صحيح.',
    wrong: 'إجابة غير صحيحة. حاول مرة أخرى.',
    'no-match': 'لا توجد نتائج. رقم أو أحرف:',
    'no-number': 'لا يوجد هذا الرقم.',
    'show-all': 'عرض الكل',
    more: 'المزيد',
    back: 'رجوع',
    home: 'الرئيسية',
    resume: 'مرحبا بعودتك.',
    continue: 'المتابعة من حيث توقفت',
    'main-menu': 'القائمة الرئيسية',
  },
} as const satisfies Record<string, Record<string, string>>

export type TextKey = keyof (typeof BUILT_IN)['en']

export const TEXT_KEYS = Object.keys(BUILT_IN.en) as TextKey[]

/** Languages whose built-in texts a native speaker must review before they serve. */
export const UNREVIEWED: ReadonlySet<string> = new Set(['tpi', 'fr', 'pt', 'sw', 'ar'])

/** The language whose built-in texts a language has: `pt` for `pt-MZ`. Undefined: none, and English is shown. */
export function builtInFor(language: string): keyof typeof BUILT_IN | undefined {
  const known = [language, language.replace(/-.*/s, '')].find((one) => Object.hasOwn(BUILT_IN, one))
  return known as keyof typeof BUILT_IN | undefined
}

/** The built-in text in this language, or in English if it has none. */
export function builtIn(key: TextKey, language: string): string {
  return BUILT_IN[builtInFor(language) ?? 'en'][key]
}
