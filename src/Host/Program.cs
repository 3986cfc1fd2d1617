Console.WriteLine("controlplane");
