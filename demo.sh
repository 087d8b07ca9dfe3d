#!/usr/bin/env bash
# La chaîne entière sur un territoire inventé, par les commandes que les partenaires et l'analyste lancent.
set -euo pipefail
nr=$1 dossier=$2 habitants=$3 graine=$4
debut=2026-04 fin=2026-06
rm -rf "$dossier"
"$nr" initialiser --demo "$dossier"
cd "$dossier"
"$nr" cle creer
"$nr" coffre creer
"$nr" cle recevoir --sortie chez-la-caf/caf31.age
"$nr" destinataire ajouter --code CAF31 --nom "CAF de la Haute-Garonne" --cle-publique chez-la-caf/caf31.pub
"$nr" simuler --sortie simulation --mois-debut "$debut" --mois-fin "$fin" --habitants "$habitants" --graine "$graine"
for partenaire in caf cpam departement cellule; do
  for mois in 2026-04 2026-05 2026-06; do
    "$nr" pseudonymiser "simulation/$partenaire/$mois" depot --cle secrets/garant/projet.cle \
      --partenaire "$partenaire" --mois "$mois" --correspondance "correspondance/$partenaire-$mois.parquet" \
      --coffre coffre --coffre-publique secrets/coffre.pub
  done
done
"$nr" executer --mois "$fin"
"$nr" confronter simulation/verite correspondance --mois "$fin"
"$nr" echantillon tirer --mois "$fin" --n 600
"$nr" echantillon repondre "echantillons/$fin-1" simulation/verite correspondance --mois "$fin"
for partenaire in cpam caf; do
  "$nr" echantillon lire "echantillons/$fin-1/reponses-$partenaire.csv" --partenaire "$partenaire"
done
"$nr" executer --mois "$fin"
"$nr" confronter simulation/verite correspondance --mois "$fin"
"$nr" remettre --destinataire CELLULE
"$nr" remettre --destinataire CAF31
"$nr" ouvrir remises/CAF31/liste-*.xlsx.age --cle chez-la-caf/caf31.age \
  --emetteur secrets/cellule/signature.pub --sortie chez-la-caf
"$nr" etat
