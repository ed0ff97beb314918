from finetune_prep.cli import main

main()
