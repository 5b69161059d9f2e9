# What an interactive zsh makes of a line when the tabulator is pressed. Its functions are those of the working folder.
# usage: zsh -f press_tab.zsh FOLDER_OF_PROGRAM LINE
zmodload zsh/zpty
zpty shell zsh -f -i
hear() {
  # Until nothing more comes for half a second.
  local piece quiet=0
  said=
  while (( quiet < 5 )); do
    if zpty -r -t shell piece; then said+=$piece quiet=0; else sleep 0.1; (( quiet += 1 )); fi
  done
}
zpty -w shell "PS1='> '; fpath=($PWD \$fpath); PATH=$1:\$PATH; autoload -U compinit; compinit -u -D; print \$((6 * 7))ready"
until [[ $said == *42ready* ]]; do hear; done
zpty -w -n shell "$2"$'\t'
hear
print -r -- $said
zpty -d shell
