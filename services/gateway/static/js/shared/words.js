/** What the page of a share says, in French and in English. */

const WORDS = {
  fr: {
    title: "Un partage Sorami",
    over: "Ce lien n’est plus valable. Demandez-en un autre à son auteur.",
    missing: "Il n’y a rien à cette adresse. Vérifiez le lien.",
    locked: "Ce partage demande un mot de passe.",
    wrong: "Le mot de passe est faux.",
    wait: "Trop d’essais. Réessayez dans quelques minutes.",
    trouble: "Le partage ne répond pas pour l’instant. Réessayez dans un moment.",
    empty: "Ce partage est vide pour l’instant.",
    password: "Mot de passe",
    open: "Ouvrir",
    more: "Voir la suite",
    image: "Image partagée",
  },
  en: {
    title: "Shared with Sorami",
    over: "This link is no longer valid. Ask whoever sent it for another.",
    missing: "There is nothing at this address. Check the link.",
    locked: "This link wants a password.",
    wrong: "The password is wrong.",
    wait: "Too many attempts. Try again in a few minutes.",
    trouble: "This cannot be shown right now. Try again in a moment.",
    empty: "There is nothing here yet.",
    password: "Password",
    open: "Open",
    more: "Show more",
    image: "Shared image",
  },
};

/** The language of the first preference we speak; English for everybody else. */
export const language = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in WORDS) ?? "en";

/** What to say. */
export const words = WORDS[language];
