/** Every word that the scripts of the label page say; those of the page itself stand in its template. */

/** @param {number} count @param {string} one */
export const count = (count, one) => `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`;
/** @param {number} share */
export const percent = (share) => Math.round(share * 100);

export const words = {
  saved: 'Saved',
  saving: 'Saving',
  /** @param {number} n */
  waiting: (n) => `${n} waiting`,
  fetching: 'Fetching the first crops',
  fetchingNext: 'Fetching the next crops',
  fetchingPhoto: 'Fetching this photo',
  /** @param {string} clock */
  offline: (clock) =>
    `No connection since ${clock}. Go on: your answers are kept on this computer and sent when it is back.`,
  offlineSaid: 'No connection. Answers are kept.',
  /** @param {number} n */
  usedUp: (n) => `No more crops without a connection. ${count(n, 'answer')} ${n === 1 ? 'waits' : 'wait'}.`,
  /** @param {number} n */
  connected: (n) => `Connected. ${count(n, 'answer')} sent.`,
  /** @param {string} when @param {number} n */
  signedOut: (when, n) =>
    `You were signed out${when}. ${count(n, 'answer')} ${n === 1 ? 'waits' : 'wait'} on this computer. Sign in and they are sent, under your name.`,
  storageFull: 'Not saved on this computer: its storage is full. Stop and tell your administrator.',
  broken: 'This photo cannot be shown; its file is damaged. Skip it, or answer from the burst.',

  /** @param {string} name @param {number} number */
  savedFor: (name, number) => `${name} saved for crop ${number}.`,
  /** @param {string} name @param {number} n */
  savedForMany: (name, n) => `${name} saved for ${count(n, 'crop')}.`,
  /** @param {number} number @param {number} size */
  crop: (number, size) => `Crop ${number} of ${size}.`,
  /** @param {string} name @param {number} p */
  guess: (name, p) => `The classifier says ${name}, ${percent(p)} percent.`,
  /** @param {string} name @param {number} number */
  takenBack: (name, number) => `Taken back: ${name}, crop ${number}.`,
  takenBackNote: 'taken back',
  /** @param {string} name */
  takenBackWords: (name) => `${name}, taken back`,
  /** @param {number} number */
  late: (number) => `Crop ${number} was given to somebody else; your answer is kept as a second voice.`,
  /** @param {string} why */
  refused: (why) => `Not saved: ${why}`,
  /** @param {number} number */
  roundFull: (number) => `Round ${number} is full.`,
  /** @param {number} number */
  yourLast: (number) => `your last answer, crop ${number}`,
  notCertain: 'not certain',
  signedOutSign: 'Signed out',
  signIn: 'Sign in',
  nothingToUndo: 'There is nothing to take back.',
  nothingToRedo: 'There is nothing to say again.',
  firstCrop: 'There is no crop before this one.',
  lastCrop: 'There is no crop after this one.',

  /** @param {number} n */
  learnt: (n) => `after ${count(n, 'answer')}`,
  noGuess: 'No guess yet: the first round is random.',
  noGuessHere: 'No guess for this crop yet',
  hiddenGuess: 'Hidden. H shows it.',
  addedUp: 'Added up, since no guess is sure enough',
  blindGuess: ['Hidden for this crop', 'Some are asked so, to check the classifier.'],
  /** @param {string} name @param {number} n @param {number} of */
  takenFor: (name, n, of) => `often taken for ${name}, ${n} of ${of}`,
  /** @param {string} name */
  noReference: (name) => `${name}: no sure photo yet`,
  /** @param {string} name @param {number} place */
  reference: (name, place) => `${name}, reference photo ${place}`,
  /** @type {Record<string, string>} */
  veils: {
    person: 'A person. Blurred for you.',
    hidden: 'Hidden until somebody has looked.',
    opened: 'Shown to you. This was recorded.',
  },
  noBurst: 'This photo stands alone',
  /** @param {number} n */
  armed: (n) => `Burst: the next answer is for ${n} crops. X takes another photo out, Esc leaves.`,
  nothingInBurst: 'No other crop of this burst waits for a name.',
  noMajority: 'No name of this burst has more crops than the others.',
  /** @param {number} n @param {number} seconds */
  burst: (n, seconds) => `This burst · ${n} photos in ${seconds} s`,
  /** @param {number} n @param {number} of @param {number} seconds */
  frame: (n, of, seconds) => `Photo ${n} of ${of}, ${seconds} seconds`,
  /** @param {number} n @param {number} of */
  otherFrame: (n, of) => `Photo ${n} of ${of} of the burst. Home goes back to the crop's own.`,
  /** @param {{number: number, of: number, score: number, drawn: boolean}} crop */
  box: (crop) => `Box ${crop.number} of ${crop.of} · ${crop.drawn ? 'drawn by a person' : `detector ${crop.score.toFixed(2)}`}`,
  boxMode: 'Box mode, Esc leaves',
  /** @param {number} n @param {number} of */
  boxModeSaid: (n, of) => `Box mode. ${of ? `Box ${n} of ${of}.` : 'No box.'} Arrows move it, Alt and arrows resize it, A adds, Delete removes, Tab goes on, Enter keeps, Escape leaves.`,
  boxModeLeft: 'Box mode left. The boxes are as before.',
  boxesAsBefore: 'The boxes are as before.',
  boxesUnsent: 'The boxes that you drew are on their way. Box mode waits for them.',
  /** @param {string} why */
  boxesAgain: (why) => `${why} They are on the screen: Enter keeps them, Esc leaves the others’.`,
  /** @param {number[]} px */
  boxMoved: (px) => (/** @type {number} */ n, /** @type {number} */ of) => `Box ${n} of ${of}, moved to ${px[0]}, ${px[1]}`,
  /** @param {number[]} px */
  boxResized: (px) => (/** @type {number} */ n, /** @type {number} */ of) => `Box ${n} of ${of}, resized to ${px[2] - px[0]} by ${px[3] - px[1]}`,
  /** @param {number} n @param {number} of */
  boxAdded: (n, of) => `Box ${n} of ${of}, added`,
  /** @param {number} n @param {number} of */
  boxDeleted: (n, of) => `Box ${n} of ${of}, deleted`,
  /** @param {number} n @param {number} of */
  boxChosen: (n, of) => (of ? `Box ${n} of ${of}` : 'No box is left'),
  /** @param {number} n @param {number} of */
  editTakenBack: (n, of) => `Taken back. Box ${n} of ${of}`,
  noEdit: 'Nothing was drawn yet.',
  /** The name of the act, as the server says it. @param {import('./draft.js').Drawing} drawing */
  drawn: ({ moved, added, deleted }) =>
    [[moved.length, 'moved'], [added.length, 'added'], [deleted.length, 'deleted']]
      .filter(([n]) => n)
      .map(([n, done]) => `${n} ${n === 1 ? 'box' : 'boxes'} ${done}`)
      .join(', '),
  /** @param {number} n */
  counted: (n) => `${n} from boxes`,
  /** @param {number} n @param {number} boxes */
  countedByHand: (n, boxes) => `${n.toLocaleString('en')} by hand, ${boxes} from boxes`,
  /** @param {number} n */
  countWaits: (n) => `${n.toLocaleString('en')}, kept with your answer`,
  /** @param {number} n @param {string | null} name */
  countOf: (n, name) => `${n.toLocaleString('en')} ${name ?? 'in the photo'}`,
  flag: 'Flag for an expert',
  flagged: 'Flagged for an expert',
  flagDown: 'Flag taken down',
  comment: 'Comment',
  commentMode: 'Comment: Enter keeps, Esc leaves.',
  /** @param {string} name */
  noted: (name) => `${name}, kept.`,
  countMode: 'Count mode: digits, Enter keeps, Esc leaves.',

  tiles: 'Crops',
  /** @param {string} veil */
  veiled: (veil) => ({ person: ', blurred', hidden: ', hidden' })[veil] ?? '',
  /** @param {number} n */
  crops: (n) => count(n, 'crop'),
  /** @param {number} n */
  selectAll: (n) => (n === 1 ? 'Select it' : `Select all ${n.toLocaleString('en')}`),
  /** @param {number} n */
  chosen: (n) => `${n.toLocaleString('en')} selected`,
  chooseSome: 'Select crops',
  nothingChosen: 'None of these can be named so.',
  /** @param {number} n */
  forChosen: (n) => (n > 1 ? `For the ${n.toLocaleString('en')} selected` : 'The classifier says'),
  /** @param {number} n */
  acceptSome: (n) => `Accept ${n.toLocaleString('en')}`,
  noGuessTile: 'No guess',
  severalNames: 'Several names',
  /** @param {string} name @param {number} n */
  sized: (name, n) => `${name}, ${n.toLocaleString('en')} crops`,
  /** @param {string} name */
  near: (name) => `near: ${name}`,
  /** @param {string} name */
  neighboursSay: (name) => `neighbours say ${name}`,
  /** @param {string} who */
  namedBy: (who) => `named by ${who}`,
  /** @param {string} who */
  hasIt: (who) => `${who} has it now`,
  you: 'You',
  somebody: 'Somebody',
  yourLastAct: 'your last answer',
  /** @param {string} name */
  takenBackMany: (name) => `Taken back: ${name}.`,
  /** @param {number} n */
  rate: (n) => `${n} a minute`,

  /** @param {string} name @param {string} rank */
  addSpecies: (name, rank) => `Add «${name}» as a new ${rank}`,
  needsConnection: 'A new species needs a connection.',
  emptyPhoto: 'Empty photo',
  skip: 'Skip',
  skippedSaid: 'Skipped. It comes back at the end of the round.',
  keysTitle: 'Keys',
  keysNote: 'Arrows only move. Only a species key, Enter or an answer key says something, and Ctrl Z takes it back, as often as you like.',
  keysSwitch: 'Letters and digits answer',
  close: 'Close',
};
