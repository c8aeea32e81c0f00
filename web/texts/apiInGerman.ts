/** Was die Schnittstelle nur auf Englisch sagt, auf Deutsch: nach ihren Namen, die der Compiler und ein Test abhaken. */
import type { AlgorithmName } from "../../backend/domain/algorithms.ts";
import type { ProblemName } from "../../backend/http/problems.ts";

export type InOtherWords = {
  /** What a problem means and what to do about it, by the name of the problem. */
  readonly problems: Readonly<Record<ProblemName, string>>;
  /** What an algorithm does. */
  readonly algorithms: Readonly<Record<AlgorithmName, string>>;
  /** What a parameter does, and in which unit it is. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly units: Readonly<Record<string, string>>;
  /** What the audit of a driver's bundle looks at. */
  readonly checks: Readonly<Record<string, string>>;
};

export const apiInGerman: InOtherWords = {
  problems: {
    "malformed-json": "Die Anfrage ist kein JSON.",
    "invalid-request": "Diese Angabe passt so nicht.",
    "body-too-large": "Das ist zu viel auf einmal.",
    "unsupported-media-type": "Die Anfrage muss JSON sein.",
    "unknown-route": "Unter dieser Adresse ist nichts.",
    "method-not-allowed": "Das geht an dieser Adresse nicht.",
    unauthenticated: "Bitte melde dich an.",
    "wrong-credentials": "Passwort oder E-Mail stimmt nicht.",
    forbidden: "Dafür ist dieses Konto nicht gedacht.",
    "cross-site": "Die Anfrage kam von einer anderen Website. Nutze unsere eigenen Seiten.",
    "email-taken": "Diese E-Mail hat schon ein Konto. Melde dich damit an.",
    "too-many-requests": "Zu viele Versuche. Warte ein wenig.",
    "unknown-session": "Diese Ladung gibt es nicht, oder sie ist zu Ende.",
    "unknown-group": "Diese Gruppe gibt es nicht.",
    "unknown-evse": "Diesen Ladepunkt kennen wir nicht. Sieh auf seinem Schild nach.",
    "unknown-driver": "Dieses Konto gibt es nicht mehr.",
    "unknown-profile": "Dieses Profil gibt es nicht.",
    "unknown-order": "Diesen Auftrag gibt es nicht.",
    "unknown-cpo": "Diesen Betreiber gibt es nicht.",
    "unknown-dispute": "Diesen Einspruch gibt es nicht.",
    "unknown-key": "Diesen Schlüssel gibt es nicht.",
    "unknown-hash": "Zu diesem Fingerabdruck gibt es hier keine Bytes: es gab sie nie, oder sie wurden geändert.",
    "no-settlement": "Die Ladung läuft noch. Beleg und Rechnung kommen, wenn das Auto abgesteckt ist.",
    occupied: "Hier lädt schon jemand. Nimm einen anderen Ladepunkt, oder warte, bis er frei ist.",
    "out-of-order": "Dieser Ladepunkt ist außer Betrieb. Nimm einen anderen.",
    closed: "Diese Ladung ist zu Ende. Beginne eine neue.",
    "stop-at-station": "Dieser Ladepunkt lässt sich nicht aus der Ferne beenden. Stecke das Auto ab.",
    duplicate: "Das ist schon unterwegs. Versuch es gleich noch einmal.",
    promised: "Diese Ladung hat schon eine Zusage. Ändere den Wunsch, oder warte ihr Ende ab.",
    "no-offer": "Hier ist kein Angebot mehr offen. Frag noch einmal.",
    "later-gone": "Die spätere Zeit ist inzwischen vergeben. Frag noch einmal.",
    "opted-out": "Diese Ladung macht nicht mit: sie hat schon, was zu geben ist.",
    "no-boost": "Volle Leistung läuft gerade nicht; zu beenden ist nichts.",
    "offer-expired": "Das Angebot ist abgelaufen. Frag noch einmal.",
    "no-baseline": "Es gibt noch keinen eingetragenen Fahrplan, an dem der Auftrag zu messen wäre.",
    "not-by-algorithm": "Das Verfahren dieser Gruppe kann diesem Auftrag nicht folgen.",
    "opposite-order": "In dieser Zeit verlangt schon ein anderer Auftrag das Gegenteil. Nimm eine andere Zeit.",
    "no-tariff": "Es gibt noch keinen Preis.",
    "too-many-sessions": "Du hast schon zu viele Ladungen offen. Stecke zuerst ein Auto ab.",
    "redemption-waits": "Ein Tausch ist noch unterwegs. Warte, bis die Kette ihn hat.",
    "payout-waits": "Eine Auszahlung ist noch unterwegs. Warte, bis die Kette sie hat.",
    "not-announced": "So viel ist nicht angekündigt. Kündige den Betrag zuerst an.",
    "notice-runs": "Die Frist läuft noch. Zahle danach aus.",
    "no-flex": "Hier ist kein FLEX, das du mitnehmen könntest.",
    "session-open": "Dein Auto hängt noch am Ladepunkt. Stecke es zuerst ab.",
    "bill-open": "Eine Rechnung ist noch nicht endgültig. Versuch es später noch einmal.",
    "dispute-open": "Ein Einspruch von dir ist noch nicht entschieden.",
    "debt-left": "Eine Rechnung ist noch nicht ganz bezahlt.",
    "balance-left": "Auf dem Konto ist noch Geld oder FLEX. Zahle es aus, oder verzichte darauf.",
    "dispute-waits": "Ein Einspruch ist noch unterwegs. Warte, bis die Kette ihn hat.",
    "not-posted": "Die Rechnung ist noch nicht in der Kette. Danach kannst du sie bestreiten.",
    "bill-final": "Diese Rechnung lässt sich nicht bestreiten.",
    "window-closed": "Die Zeit für einen Einspruch ist vorbei.",
    "already-disputed": "Diese Rechnung hast du schon bestritten. Das geht einmal.",
    "dispute-not-open": "Der Einspruch ist noch nicht in der Kette.",
    "already-decided": "Dieser Einspruch ist schon zu Ende.",
    "no-arbiter-key": "Entscheidungen werden nicht von hier gesendet.",
    "taken-id": "Diese Kennung gehört schon jemand anderem. Nimm eine andere.",
    "no-dump": "Die Datenbank wird von hier nicht herausgegeben.",
    "chain-away": "Die Kette ist gerade nicht zu erreichen. Versuch es gleich noch einmal.",
    "past-departure": "Die Abfahrt liegt in der Vergangenheit. Sag, wann du fährst.",
    "suspicious-departure": "Diese Abfahrt kann nicht gemeint sein.",
    "suspicious-need": "So viel oder so wenig Energie kann nicht gemeint sein.",
    "bad-start": "Der geplante Beginn liegt nicht vor der Abfahrt.",
    "bad-first": "Der frühere Teil passt nicht zum Wunsch: weniger als das Ganze, und früher.",
    "bad-boost": "Volle Leistung endet innerhalb eines Tages. Nenne eine Zeit darin, oder keine.",
    "bad-strategy": "Diese Wünsche widersprechen sich.",
    "suspicious-limit": "Diese Grenze kann nicht gemeint sein.",
    "bad-capacity": "Das ist kein Kapazitätsprofil: Zeiten müssen aufeinanderfolgen.",
    "suspicious-order": "Dieser Auftrag kann nicht gemeint sein.",
    "past-order": "Der Auftrag beginnt zu früh, oder er endet vor seinem Beginn.",
    "not-on-slots": "Aufträge gelten für ganze Viertelstunden: Minute 00, 15, 30 oder 45.",
    "beyond-horizon": "So weit reicht der letzte Fahrplan nicht: er sieht etwa einen Tag voraus.",
    "past-limit": "Diese Grenze wäre schon vorbei.",
    "unknown-algorithm": "Dieses Verfahren gibt es nicht.",
    "unknown-parameter": "Das Verfahren hat diese Einstellung nicht, oder nicht diesen Wert.",
    "suspicious-price": "Dieser Preis kann nicht gemeint sein.",
    "price-gap": "Ein Preis fehlt: die Viertelstunden müssen lückenlos aufeinanderfolgen.",
    "bad-instant": "Diese Zeit kann nicht gemeint sein.",
    "implausible-register": "Dieser Zählerstand kann nicht stimmen.",
    "implausible-readings": "Keiner dieser Messwerte kann stimmen.",
    "bad-refund": "Erstattet werden kann höchstens die Rechnung.",
    "bad-flex-delta": "So viel oder so wenig FLEX kann die Rechnung nicht haben.",
    "too-little": "Das ist zu wenig.",
    "too-much": "Das ist mehr, als da ist.",
    "too-little-money": "Das ist zu wenig.",
    "too-much-money": "Das ist mehr, als frei ist.",
    "bad-address": "Diese Adresse kann nicht deine eigene sein. Nenne eine, deren Schlüssel du hast.",
    internal: "Bei uns ist etwas schiefgegangen. Versuch es später noch einmal.",
  },
  algorithms: {
    "least-cost":
      "Erst möglichst viel zugesagte Energie, dann möglichst viel übrige, dann geringste Kosten, dann so früh es geht; " +
      "bewiesen optimal",
    "linear-program": "Dasselbe Modell als lineares Programm, für einen allgemeinen Löser",
    "proportional-flexibility":
      "Volle Leistung; über der Grenze weichen Autos, die warten können, im Verhältnis ihres Spielraums",
    "equal-share": "Was die Grenze übrig lässt, zu gleichen Teilen an die Autos, die da sind",
    "first-come": "Der Reihe nach, wie angesteckt wurde, jedes so schnell es kann",
    uncontrolled: "Sofort volle Leistung, notfalls über der Grenze: womit Steuerung verglichen wird",
  },
  parameters: {
    protectPromises:
      "1: verteilt wird nur, was die Zusagen übrig lassen, so dass keine gebrochen wird; 0: allein nach der Regel",
    automaticEarly:
      "1: Warten kostet umso mehr, je knapper die Leistung ist und je früher Fahrer abfahren; 0: kein solcher Preis",
    lostMicroEurPerKwh: "Zum Preis des Wartens: was eine kWh wert ist, die ein Fahrer nicht mitnimmt",
    scarceMicroEurPerKwhHour: "Zum Preis des Wartens: Warten bei knapper Leistung",
    earlyMicroEurPerKwhHour: "Preis des Wartens, der dazukommt",
    waitingMicroEurPerHour: "Preis eines Autos, das noch nicht fertig ist",
    curtailPv:
      "1: die Photovoltaik darf gedrosselt werden, wo das günstiger ist als Einspeisen oder günstigere Energie hereinlässt; " +
      "0: nie freiwillig",
    exportLimitW:
      "Höchstens so viel darf die Gruppe einspeisen; was darüber liegt, ginge verloren, also laden es die Autos",
    directionBinaries:
      "1: genau, wo Einspeisen mehr bringt als Bezug kostet (eine Entscheidung je solchem Abschnitt); 0: Bezug zählt dort " +
      "wie Einspeisen",
    highFlexibilityW: "Autos, die auf so viel Leistung verzichten können, weichen zuerst",
  },
  units: {
    "0 or 1": "0 oder 1",
    W: "W",
    "micro-euro per kWh": "Mikroeuro je kWh",
    "micro-euro per kWh and hour": "Mikroeuro je kWh und Stunde",
    "micro-euro per car and hour": "Mikroeuro je Auto und Stunde",
  },
  checks: {
    contracts: "Verträge",
    registers: "Anmeldung in der Kette",
    "recorded slots": "eingetragene Viertelstunden",
    "slots without a record": "Viertelstunden ohne Eintrag",
    "leaves of recorded slots": "eigene Zeilen der Viertelstunden",
    "hash chain of runs": "Verkettung der Fahrpläne",
    "rows under bills": "Zeilen hinter den Rechnungen",
    "meter readings": "Zählerstände",
    promises: "Zusagen",
    bills: "Rechnungen",
    "batches of bills": "Stapel von Rechnungen",
  },
};
